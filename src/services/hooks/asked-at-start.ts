import type { HookContext, HookName, Hooks } from '../../hooks.js'
import { asText } from './checked.js'
import { withinLimit } from './runner.js'

/** A hook that is asked at start failed; the message names it. */
export class StartHookError extends Error {
  override readonly name = 'StartHookError'
}

export interface AskedAtStart {
  jwtAuthIssuer: string | undefined
  authorizationHeader: string | undefined
  corsAllowHeaders: readonly string[] | undefined
}

export interface StartDefaults {
  publicUrl: string
  corsAllowHeaders: readonly string[]
  timeoutMs: number
}

/**
 * Asks the hooks that decide about every request in the same way: once is enough.
 *
 * @throws {StartHookError}
 */
export async function askAtStart(
  hooks: Partial<Hooks>,
  { publicUrl, corsAllowHeaders, timeoutMs }: StartDefaults,
): Promise<AskedAtStart> {
  async function ask<Given, Wanted>(
    name: HookName,
    call: (context: HookContext) => Given | Promise<Given>,
    check: (given: Given) => Wanted,
  ): Promise<Wanted> {
    try {
      return check(await withinLimit(call, timeoutMs))
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause)
      throw new StartHookError(`hooks.${name} failed at start: ${reason}`, { cause })
    }
  }

  const { jwtAuthIssuer: issuer, authorizationHeader: header, corsAllowHeaders: cors } = hooks
  return {
    jwtAuthIssuer:
      issuer && (await ask('jwtAuthIssuer', (context) => issuer(publicUrl, context), asIssuer)),
    authorizationHeader:
      header &&
      (await ask(
        'authorizationHeader',
        (context) => header('Authorization', context),
        asOtherHeader,
      )),
    corsAllowHeaders:
      cors &&
      (await ask('corsAllowHeaders', (context) => cors(corsAllowHeaders, context), asHeaderList)),
  }
}

function asIssuer(given: unknown): string {
  const issuer = asText(given)
  if (issuer !== '') return issuer
  throw new TypeError('The hook must give back an issuer')
}

const headerName = /^[\w!#$%&'*+.^`|~-]+$/

/** @returns `undefined` for the usual one. */
function asOtherHeader(given: unknown): string | undefined {
  const name = asHeaderName(given)
  return name === 'authorization' ? undefined : name
}

/** Also as PHP's servers call it, e.g. `HTTP_X_TOKEN`. */
function asHeaderName(given: unknown): string {
  const name = asText(given)
    .replace(/^(?:REDIRECT_)?HTTP_([A-Z_]+)$/, (_, rest: string) => rest.replaceAll('_', '-'))
    .toLowerCase()
  if (headerName.test(name)) return name
  throw new TypeError('The hook must give back the name of a header')
}

function asHeaderList(given: unknown): string[] {
  const names = Array.isArray(given) ? given.map(asText) : asText(given).split(',')
  const trimmed = names.map((name) => name.trim()).filter((name) => name !== '')
  if (trimmed.every((name) => headerName.test(name))) return trimmed
  throw new TypeError('The hook must give back names of headers')
}
