import type { JsonWebKey } from 'node:crypto'
import type { Need } from './attack.js'
import type { Answer, Target } from './target.js'

export interface Credentials {
  apiKey?: string | undefined
  apiSecret?: string | undefined
  login?: string | undefined
  password?: string | undefined
}

export interface Session {
  cookie: string
  nonce: string
  userId: number
}

/** What an attacker starts with: the address, all that is public, and what was given on the way. */
export interface Scene {
  target: Target
  has(need: Need): boolean
  /** What the deployment says of itself; empty where it says nothing. */
  operations: readonly DescribedOperation[]
  keys: readonly PublicKey[]
  /** @throws if there is none: attacks that ask name it among their needs. */
  pair(): { apiKey: string; apiSecret: string; userId: number }
  tokens(): { access: string; refresh: string }
  session(): Session
  /** Where a bearer token is judged; each accepts the good one. */
  surfaces: readonly Surface[]
}

export type PublicKey = JsonWebKey & { kid?: string; alg?: string }

export interface DescribedOperation {
  method: string
  path: string
  /** Alternatives, each a set of scheme names; empty: for anybody. */
  security: readonly string[][]
  /** Names of the body's fields. */
  fields: readonly string[]
}

export interface Surface {
  name: string
  /** @returns `undefined` if what carries the token here cannot hold it. */
  present(token: string): Promise<Answer> | undefined
  accepts(answer: Answer): boolean
}

/** The deployment cannot be attacked as asked: it is not there, or refuses the credentials. */
export class SceneError extends Error {
  override readonly name = 'SceneError'
}

export const introspection = 'introspection'
export const tokenPath = '/wp-json/wp/v2/token'
const form = { 'Content-Type': 'application/x-www-form-urlencoded' }

export async function enterScene(target: Target, given: Credentials): Promise<Scene> {
  if ((await target.send('/healthz')).status !== 200) {
    throw new SceneError(`${target.url}/healthz does not answer 200: is Twinkey there?`)
  }
  const pair = given.apiKey && given.apiSecret ? { ...given } : undefined
  const tokens = pair && (await exchange(target, given))
  const session = given.login ? await logIn(target, given) : undefined
  const keys = (await readJson(target, '/.well-known/jwks.json'))?.keys ?? []
  const operations = operationsOf(await readJson(target, '/openapi.json'))
  const present: Record<Need, boolean> = {
    'a key-pair': tokens !== undefined,
    'a login': session !== undefined,
    'public keys': keys.length > 0,
  }
  function required<T>(value: T | undefined): T {
    if (value === undefined) throw new SceneError('An attack does not name what it needs.')
    return value
  }
  return {
    target,
    has: (need) => present[need],
    operations,
    keys,
    pair: () => {
      const { userId } = required(tokens)
      return { apiKey: given.apiKey ?? '', apiSecret: given.apiSecret ?? '', userId }
    },
    tokens: () => required(tokens),
    session: () => required(session),
    surfaces: tokens ? await acceptingSurfaces(target, given, tokens.access) : [],
  }
}

async function exchange(target: Target, given: Credentials) {
  const fields = { api_key: given.apiKey ?? '', api_secret: given.apiSecret ?? '' }
  const answer = await postForm(target, tokenPath, fields)
  if (answer.status !== 200) {
    throw new SceneError(`The key-pair was refused: ${answer.status} ${answer.text.slice(0, 200)}`)
  }
  const body = JSON.parse(answer.text)
  return {
    access: String(body.access_token),
    refresh: String(body.refresh_token),
    userId: Number(body.data.user.id),
  }
}

async function logIn(target: Target, { login, password }: Credentials): Promise<Session> {
  const answer = await target.send('/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', Accept: 'application/json' },
    body: JSON.stringify({ user_login: login, password: password ?? '' }),
  })
  const cookie = answer.headers['set-cookie']?.[0]?.split(';')[0]
  if (answer.status !== 200 || !cookie) {
    throw new SceneError(`The login was refused: ${answer.status} ${answer.text.slice(0, 200)}`)
  }
  const { nonce, user } = JSON.parse(answer.text)
  return { cookie, nonce, userId: Number(user.id) }
}

async function readJson(target: Target, path: string) {
  const { status, text } = await target.send(path)
  return status === 200 ? JSON.parse(text) : undefined
}

interface Document {
  paths: Record<string, Record<string, DocumentOperation>>
}
interface DocumentOperation {
  security?: Record<string, unknown>[]
  requestBody?: { content: Record<string, { schema: BodySchema }> }
}
interface BodySchema {
  properties?: Record<string, unknown>
  anyOf?: BodySchema[]
}

function operationsOf(document: Document | undefined): DescribedOperation[] {
  return Object.entries(document?.paths ?? {}).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, { security = [], requestBody }]) => {
      const schema = requestBody?.content['application/json']?.schema
      const forms = schema?.anyOf ?? [schema ?? {}]
      return {
        method: method.toUpperCase(),
        path,
        security: security.map(Object.keys),
        fields: [...new Set(forms.flatMap(({ properties = {} }) => Object.keys(properties)))],
      }
    }),
  )
}

export function postForm(
  target: Target,
  path: string,
  fields: Record<string, string>,
): Promise<Answer> {
  const body = new URLSearchParams(fields).toString()
  return target.send(path, { method: 'POST', headers: form, body })
}

const isHeaderText = (text: string) => /^[\t\x20-\x7e\x80-\xff]*$/.test(text)

export const bearer = (token: string) => ({ Authorization: `Bearer ${token}` })

/** A surface that is not exposed, as a proxy may have it, would prove nothing by refusing. */
async function acceptingSurfaces(target: Target, given: Credentials, token: string) {
  const withBearer = (name: string, path: string): Surface => ({
    name,
    present: (text) =>
      isHeaderText(text) ? target.send(path, { headers: bearer(text) }) : undefined,
    accepts: ({ status }) => status < 300,
  })
  const all: Surface[] = [
    withBearer('token/validate', `${tokenPath}/validate`),
    withBearer('users/me', '/wp-json/wp/v2/users/me'),
    withBearer('/forward-auth', '/forward-auth'),
    {
      name: introspection,
      present: (text) =>
        postForm(target, '/oauth2/introspect', {
          client_id: given.apiKey ?? '',
          client_secret: given.apiSecret ?? '',
          token: text,
        }),
      accepts: ({ status, text }) => status === 200 && JSON.parse(text).active === true,
    },
  ]
  const found: Surface[] = []
  for (const surface of all) {
    const answer = await surface.present(token)
    if (answer && surface.accepts(answer)) found.push(surface)
  }
  if (found.length === 0) throw new SceneError('A fresh token was accepted nowhere.')
  return found
}
