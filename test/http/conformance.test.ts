import { readFileSync } from 'node:fs'
import test from 'ava'
import { CompactSign } from 'jose'
import { operator } from '../../src/domain/actor.js'
import { dialects } from '../helpers/dialects.js'
import {
  jwtSecret,
  type LoggedIn,
  type Pair,
  type Service,
  startService,
} from '../helpers/with-service.js'

// What clients of the WP-API/jwt-auth plugin see on the wire, replayed against a real server. The
// data were recorded from the plugin; `expect` is what we answer, `plugin` what it does where we differ.

interface Case {
  name: string
  as?: string
  nonce?: 'good' | 'bad' | 'other'
  request: {
    method: string
    path: string
    headers: Record<string, string>
    body: null | { encoding: string; fields?: string | Record<string, unknown>; text?: string }
  }
  tokens?: Record<string, TokenRecipe>
  expect: {
    status: number
    code?: string
    message?: string
    body?: unknown
    body_has?: string[]
    body_has_not?: string[]
    row_name?: string
  }
}

interface TokenRecipe {
  kind: 'access' | 'refresh'
  set?: Record<string, unknown>
  unset?: string[]
  header?: Record<string, unknown>
  mac?: 'HS256' | 'HS384' | 'HS512'
  signature?: 'bad' | 'empty' | 'other-key'
}

interface World {
  service: Service
  pairs: Record<string, Pair>
  browsers: Record<string, LoggedIn>
}

const { cases } = JSON.parse(
  readFileSync(new URL('../fixtures/wordpress-cases.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

for (const dialect of dialects) {
  const register = dialect.isAvailable ? test : test.skip
  let world: Promise<World> | undefined
  if (dialect.isAvailable) {
    test.after.always(`close ${dialect.name}`, async () => (await world)?.service.close())
  }
  for (const item of cases) {
    register(`${dialect.name}: ${item.name}`, async (t) => {
      world ??= createWorld(dialect)
      const { service } = await world
      const answer = await send(await world, item)
      const { expect } = item
      t.is(answer.status, expect.status, JSON.stringify(answer.body))
      if (expect.code) t.is(answer.body.code, expect.code)
      if (expect.message) t.is(answer.body.message, expect.message)
      if (expect.code && answer.status >= 400) t.is(answer.body.data.status, expect.status)
      if (expect.body)
        assertLike(t.like.bind(t), t, answer.body, fill(expect.body, await world, {}))
      for (const path of expect.body_has ?? []) t.not(at(answer.body, path), undefined, path)
      for (const path of expect.body_has_not ?? []) t.is(at(answer.body, path), undefined, path)
      if (expect.row_name !== undefined) t.is(answer.body.row.name, expect.row_name)
      t.false(service.log().includes('"level":50'))
    })
  }
}

async function createWorld(dialect: (typeof dialects)[number]): Promise<World> {
  const service = await startService(dialect)
  const admin = await service.createUser('admin', 'administrator')
  const editor = await service.createUser('editor', 'editor')
  const subscriber = await service.createUser('subscriber')
  const pairs: World['pairs'] = {
    admin: await service.mint(admin.id, 'admin'),
    admin2: await service.mint(admin.id, 'admin2'),
    revoked: await service.mint(admin.id, 'revoked'),
    editor: await service.mint(editor.id, 'editor'),
    subscriber: await service.mint(subscriber.id, 'subscriber'),
  }
  await service.runtime.services.keyPairs.revoke(operator, admin.id, pairs.revoked?.api_key ?? '')
  const browsers: World['browsers'] = {}
  for (const login of ['admin', 'editor', 'subscriber'])
    browsers[login] = await service.logIn(login)
  browsers.other = await service.logIn('admin')
  return { service, pairs, browsers }
}

async function send(world: World, { request, tokens, as, nonce }: Case) {
  const made: Record<string, string> = {}
  for (const [name, recipe] of Object.entries(tokens ?? {})) made[name] = await make(recipe, world)
  const headers = fill(request.headers, world, made) as Record<string, string>
  const browser = as ? world.browsers[as] : undefined
  if (browser) headers.Cookie = browser.cookie
  if (nonce === 'good') headers['X-WP-Nonce'] = browser?.nonce ?? ''
  if (nonce === 'bad') headers['X-WP-Nonce'] = '0123456789'
  if (nonce === 'other') headers['X-WP-Nonce'] = world.browsers.other?.nonce ?? ''

  const response = await world.service.fetch(String(fill(request.path, world, made)), {
    method: request.method,
    headers,
    body: encode(request.body, headers, (value) => fill(value, world, made)),
  })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}

function encode(
  body: Case['request']['body'],
  headers: Record<string, string>,
  filled: (value: unknown) => unknown,
): string | URLSearchParams | FormData | null {
  if (body === null) return null
  if (body.text !== undefined) {
    headers['Content-Type'] = body.encoding
    return String(filled(body.text))
  }
  const fields = filled(body.fields)
  if (body.encoding === 'json') {
    headers['Content-Type'] = 'application/json'
    return typeof fields === 'string' ? fields : JSON.stringify(fields)
  }
  if (body.encoding === 'multipart') {
    const form = new FormData()
    for (const [name, value] of Object.entries(fields as object)) form.set(name, String(value))
    return form
  }
  headers['Content-Type'] = 'application/x-www-form-urlencoded'
  return typeof fields === 'string'
    ? fields
    : String(new URLSearchParams(fields as Record<string, string>))
}

/** Puts the world's values where a case has `{{names}}`. */
function fill(value: unknown, world: World, tokens: Record<string, string>): unknown {
  if (typeof value === 'string') {
    return value.replace(/\{\{([\w.]+)(?:\|(\w+))?\}\}/g, (_, path: string, how?: string) => {
      const [first = '', second = ''] = path.split('.')
      const found =
        first === 'url'
          ? world.service.url
          : first === 'token'
            ? tokens[second]
            : world.pairs[first]?.[second as keyof Pair]
      if (found === undefined) throw new Error(`The case names an unknown ${path}`)
      return how === 'url'
        ? encodeURIComponent(found)
        : how === 'upper'
          ? found.toUpperCase()
          : found
    })
  }
  if (Array.isArray(value)) return value.map((item) => fill(item, world, tokens))
  if (typeof value === 'object' && value !== null) {
    return Object.fromEntries(
      Object.entries(value).map(([key, item]) => [key, fill(item, world, tokens)]),
    )
  }
  return value
}

async function make(recipe: TokenRecipe, world: World): Promise<string> {
  const now = world.service.now()
  const lifetime = recipe.kind === 'access' ? 604_800 : 31_536_000
  const claims: Record<string, any> = {
    iss: world.service.url,
    iat: now,
    nbf: now,
    exp: now + lifetime,
    data: {
      user: {
        id: 1,
        type: 'wp_user',
        user_login: 'admin',
        user_email: 'admin@sample.org',
        api_key: world.pairs.admin?.api_key,
        ...(recipe.kind === 'refresh' && { token_type: 'refresh' }),
      },
    },
  }
  for (const [path, value] of Object.entries(recipe.set ?? {})) {
    const isTime = typeof value === 'object' && value !== null && 'now' in value
    put(claims, path, isTime ? now + Number(value.now) : fill(value, world, {}))
  }
  for (const path of recipe.unset ?? []) put(claims, path, undefined)

  const key = recipe.signature === 'other-key' ? `${jwtSecret}-another` : jwtSecret
  const mac = recipe.mac ?? 'HS256'
  const signed = await new CompactSign(new TextEncoder().encode(JSON.stringify(claims)))
    .setProtectedHeader({ typ: 'JWT', alg: mac })
    .sign(new TextEncoder().encode(mac === 'HS512' ? key.padEnd(64, key) : key))
  const [header = '', payload = '', signature = ''] = signed.split('.')
  if (recipe.signature === 'empty') return `${header}.${payload}.`
  if (recipe.signature === 'bad') {
    return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  }
  if (!recipe.header) return signed
  // The header says one thing and the MAC, over that very header, is another: what an attacker sends.
  const claimed = Buffer.from(JSON.stringify(recipe.header)).toString('base64url')
  const { createHmac } = await import('node:crypto')
  const hash = mac.replace('HS', 'sha')
  const forged = createHmac(hash, key).update(`${claimed}.${payload}`).digest('base64url')
  return `${claimed}.${payload}.${forged}`
}

function put(target: Record<string, any>, path: string, value: unknown): void {
  const names = path.split('.')
  const last = names.pop() ?? ''
  const parent = names.reduce((object, name) => object?.[name], target)
  if (value === undefined) delete parent?.[last]
  else if (parent) parent[last] = value
}

function at(value: any, path: string): unknown {
  return path.split('.').reduce((object, name) => object?.[name], value)
}

/** `expected` is what must be there at least; `<jwt>` stands for any JWT. */
function assertLike(
  like: (actual: any, expected: any) => void,
  t: { regex(text: string, pattern: RegExp): void },
  actual: any,
  expected: any,
): void {
  const { access_token, refresh_token, ...rest } = expected
  for (const [name, token] of Object.entries({ access_token, refresh_token })) {
    if (token === '<jwt>') t.regex(actual[name], /^[\w-]+\.[\w-]+\.[\w-]+$/)
  }
  like(actual, rest)
}
