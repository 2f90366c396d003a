import { nonceOf } from '../../src/domain/session.js'
import type { User } from '../../src/domain/user.js'
import type { Json } from '../helpers/described-service.js'
import { bearer, type Service } from '../helpers/with-service.js'

/** A route as the router knows it, and who may use it. */
export interface Route {
  method: string
  /** With parameters in braces. */
  path: string
  /** As in src/http/ops/operation.ts; and for pages: `page`, or `administration`. */
  access:
    | 'anybody'
    | 'person'
    | 'viewer'
    | 'bearer'
    | 'client'
    | 'cookie'
    | 'page'
    | 'administration'
}

const bySecurity: Record<string, Route['access']> = {
  '': 'anybody',
  'session+nonce': 'person',
  'bearer session+nonce': 'viewer',
  bearer: 'bearer',
  'client ': 'client',
  session: 'cookie',
}

/** Pages are not in the description: their addresses say whose they are. */
function accessOfPage(method: string, path: string): Route['access'] | undefined {
  if (/^\/(?:assets\/.*|docs|login(?:\/.*)?|logout)?$/.test(path)) return 'anybody'
  if (/^\/wp-json(?:\/wp\/v2)?$/.test(path)) return 'anybody'
  if (/^\/\.well-known\//.test(path) && method === 'GET') return 'anybody'
  if (/^\/profile(?:\/|$)/.test(path) || /^\/users\/\{id\}\/profile(?:\/|$)/.test(path))
    return 'page'
  return /^\/(?:users|audit)(?:\/|$)/.test(path) ? 'administration' : undefined
}

/** @throws if a route is of no known access: whoever adds one says who may use it. */
export async function listRoutes(service: Service): Promise<Route[]> {
  const { body: document } = await service.json('/openapi.json')
  const layers = service
    .app()
    .middleware.flatMap((middleware) => (middleware as Json).router?.stack ?? [])
  const served = layers.flatMap((layer: Json) =>
    layer.methods.map((method: string) => ({
      method,
      path: layer.path.replace(/:(\w+)/g, '{$1}').replace(/(?<=.)\/$/, ''),
    })),
  )
  // Answered before all routers.
  served.push({ method: 'GET', path: '/forward-auth' })
  return served
    .filter(({ method }) => method !== 'HEAD' && method !== 'OPTIONS')
    .map(({ method, path }) => {
      const described = document.paths[path]?.[method.toLowerCase()]
      const security = described?.security
        .map((schemes: Json) => Object.keys(schemes).join('+'))
        .join(' ')
      const access = described ? bySecurity[security] : accessOfPage(method, path)
      if (!access) throw new Error(`${method} ${path} (${security}): who may use it?`)
      return { method, path, access }
    })
}

/** Somebody who asks, with what they bring. */
export interface Caller {
  headers: Record<string, string>
  /** Goes into forms. */
  nonce?: string
}

/** A session as logging in starts it, without the work of a password. */
export async function sessionOf(service: Service, user: User): Promise<Caller & { nonce: string }> {
  const actor = { kind: 'session', user, sessionId: 'none', secondFactorAt: null } as const
  const browser = { ip: '127.0.0.1', userAgent: 'attack' }
  const { token } = await service.runtime.services.sessions.resume(actor, browser)
  const nonce = nonceOf(token)
  return { headers: { Cookie: `twinkey_session=${token}`, 'X-WP-Nonce': nonce }, nonce }
}

export const roles = [
  'nobody',
  'access token',
  'scoped token',
  'refresh token',
  'key-pair',
  'cookie without nonce',
  'cookie with another’s nonce',
  'another user',
  'disabled user',
  'ended session',
] as const
export type Role = (typeof roles)[number]

/** Callers who have something to do with Ada, and none of whom is her in her browser. */
export async function createCallers(service: Service, ada: User): Promise<Record<Role, Caller>> {
  const { services } = service.runtime
  const pair = await service.mint(ada.id)
  const { access_token, refresh_token } = await service.exchange(pair)
  const scoped = await service.json('/wp/v2/token', { fields: { ...pair, scope: 'read' } })
  const own = await sessionOf(service, ada)
  const bob = await service.createUser('bob')
  const carol = await service.createUser('carol')
  const another = await sessionOf(service, bob)
  const disabled = await sessionOf(service, carol)
  await services.users.disable(carol.id)
  const ended = await sessionOf(service, ada)
  const cookie = (caller: Caller) => String(caller.headers.Cookie)
  await services.sessions.logOut(cookie(ended).split('=')[1] ?? '')
  return {
    nobody: { headers: {} },
    'access token': { headers: bearer(access_token), nonce: own.nonce },
    'scoped token': { headers: bearer(scoped.body.access_token), nonce: own.nonce },
    'refresh token': { headers: bearer(refresh_token), nonce: own.nonce },
    'key-pair': {
      headers: { Authorization: `Basic ${btoa(`${pair.api_key}:${pair.api_secret}`)}` },
    },
    'cookie without nonce': { headers: { Cookie: cookie(own) } },
    'cookie with another’s nonce': {
      headers: { Cookie: cookie(own), 'X-WP-Nonce': another.nonce },
      nonce: another.nonce,
    },
    'another user': another,
    'disabled user': disabled,
    'ended session': ended,
  }
}

const administratorsOnly = new Set(['GET /wp-json/wp/v2/users'])

/** Whether a role may use a route about Ada. `undefined`: it may, of its own things. */
export function mayUse({ method, path, access }: Route, role: Role): boolean | undefined {
  const isOfAda = /\{(?:user_id|id|api_key)\}/.test(path)
  const isToken = role === 'access token' || role === 'scoped token'
  const isAdministrators =
    access === 'administration' || administratorsOnly.has(`${method} ${path}`)
  switch (role) {
    case 'access token':
    case 'scoped token':
      if (access === 'bearer' || (access === 'viewer' && !isAdministrators)) return isToken
      break
    case 'refresh token':
      if (path.endsWith('/token/validate')) return true
      break
    case 'key-pair':
      if (access === 'client') return true
      break
    case 'cookie without nonce':
    case 'cookie with another’s nonce':
      if (access === 'cookie' || (access === 'page' && method === 'GET')) return undefined
      break
    case 'another user':
      if (access === 'cookie') return undefined
      if (['person', 'viewer', 'page'].includes(access) && !isOfAda && !isAdministrators)
        return undefined
      break
  }
  return access === 'anybody'
}
