import { ConfigError } from './config.js'
import { type PublicPath, parsePublicPath } from './domain/public-path.js'
import {
  type Actions,
  eventNames,
  type Extensions,
  type ForwardAuthOptions,
  type HookName,
  type Hooks,
  originalNames,
} from './hooks.js'
import type { ReadExtensions } from './services/hooks/index.js'

const defaultTimeoutMs = 2000

/**
 * Checks what was given, and gives each hook its own name.
 *
 * @throws {ConfigError} listing everything that is wrong, not only the first.
 */
export function readExtensions(given: Extensions = {}): ReadExtensions {
  const problems: string[] = []
  if (!isObject(given)) throw new ConfigError(['The extensions must be an object'])
  noteUnknown('', given, ['hooks', 'actions', 'hookTimeoutMs', 'forwardAuth'], problems)
  const read = {
    hooks: readHooks(given.hooks ?? {}, problems),
    actions: readActions(given.actions ?? {}, problems),
    hookTimeoutMs: readTimeout(given.hookTimeoutMs, problems),
    forwardAuth: readForwardAuth(given.forwardAuth ?? {}, problems),
  }
  if (problems.length > 0) throw new ConfigError(problems)
  return read
}

function readHooks(given: object, problems: string[]): Partial<Hooks> {
  const names = Object.entries(originalNames) as [HookName, string][]
  const own = new Map(
    names.flatMap(
      ([name, original]) =>
        [
          [name, name],
          [original, name],
        ] as const,
    ),
  )
  const hooks: Record<string, unknown> = {}
  for (const [name, hook] of Object.entries(given)) {
    const known = own.get(name)
    if (hook === undefined) continue
    if (known === undefined) problems.push(`hooks.${name} is no hook; docs/hooks.md lists them`)
    else if (typeof hook !== 'function') problems.push(`hooks.${name} must be a function`)
    else if (hooks[known]) problems.push(`hooks.${known} and hooks.${originalNames[known]} are one`)
    else hooks[known] = hook
  }
  return hooks
}

function readActions(given: object, problems: string[]): Partial<Actions> {
  noteUnknown('actions.', given, eventNames, problems)
  const actions = Object.entries(given).filter(([, action]) => action !== undefined)
  for (const [name, action] of actions) {
    if (typeof action !== 'function') problems.push(`actions.${name} must be a function`)
  }
  return Object.fromEntries(actions)
}

function readTimeout(given: number | undefined, problems: string[]): number {
  const value = given ?? defaultTimeoutMs
  if (!Number.isInteger(value) || value < 1 || value > 60_000) {
    problems.push('hookTimeoutMs must be an integer from 1 to 60000')
  }
  return value
}

function readForwardAuth(given: ForwardAuthOptions, problems: string[]) {
  noteUnknown('forwardAuth.', given, ['publicPaths', 'uriFrom', 'methodFrom'], problems)
  const publicPaths = parsePaths('forwardAuth.publicPaths', given.publicPaths ?? [], problems)
  const uriFrom = readSource('uriFrom', given.uriFrom, problems)
  const methodFrom = readSource('methodFrom', given.methodFrom, problems)
  if (publicPaths.length > 0 && given.uriFrom === undefined) {
    problems.push('forwardAuth.uriFrom must say where your proxy gives the path')
  }
  if (publicPaths.some(({ method }) => method !== undefined) && given.methodFrom === undefined) {
    problems.push('forwardAuth.methodFrom must say where your proxy gives the method')
  }
  return { publicPaths, uriFrom, methodFrom }
}

function readSource(
  name: 'uriFrom' | 'methodFrom',
  given: string | undefined,
  problems: string[],
): string | undefined {
  if (given === undefined) return undefined
  if (typeof given === 'string' && /^[\w-]+$/.test(given)) return given.toLowerCase()
  problems.push(`forwardAuth.${name} must be the name of a header, or "request"`)
  return undefined
}

function parsePaths(name: string, given: readonly string[], problems: string[]): PublicPath[] {
  if (!Array.isArray(given)) {
    problems.push(`${name} must be a list of paths`)
    return []
  }
  return given.flatMap((text: unknown) => {
    const path = typeof text === 'string' ? parsePublicPath(text) : undefined
    if (!path)
      problems.push(`${name} must be paths such as "/public/*" or "GET /news", got "${text}"`)
    return path ?? []
  })
}

function noteUnknown(
  prefix: string,
  given: object,
  known: readonly string[],
  problems: string[],
): void {
  for (const name of Object.keys(given)) {
    if (!known.includes(name))
      problems.push(`${prefix}${name} is unknown; there are ${known.join(', ')}`)
  }
}

function isObject(given: unknown): given is object {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
