import type { ExecutionContext } from 'ava'
import type { User } from '../../src/domain/user.js'
import { type PlainAnswer, sendPlain } from '../helpers/raw-request.js'
import { onEachDatabase, type Service } from '../helpers/with-service.js'
import { patient } from './patient.js'
import {
  type Caller,
  createCallers,
  listRoutes,
  mayUse,
  type Route,
  roles,
  sessionOf,
} from './routes.js'

// Every route by everybody. The routes are those that the router knows, so none can be forgotten.

const env = { ...patient, KEY_PAIR_SCOPES: 'read=Read things;write=Write things' }

const nameOfPair = 'What only Ada may read'

const fields: Record<string, string> = {
  grant_type: 'client_credentials',
  name: 'Renamed',
  overlap: '0',
  form_token: 'a'.repeat(24),
  old_password: 'wrong-password',
  new_password: 'another-password',
  repeat_password: 'another-password',
  token: 'x',
  session: 'x',
}

/** Sends a request about Ada that would be right, but for who sends it. */
function ask(
  service: Service,
  { method, path, access }: Route,
  { user, apiKey }: { user: User; apiKey: string },
  { headers, nonce }: Caller,
): Promise<PlainAnswer> {
  const target = path
    .replace('{api_key}', apiKey)
    .replace(/\{(?:user_id|id)\}/, String(user.id))
    .replace(/\{\w+\}/g, '1')
  const isPage = access === 'page' || access === 'administration'
  const form = { ...fields, ...(nonce && { _wpnonce: nonce }) }
  return sendPlain(service.url, target, {
    method,
    headers: {
      ...headers,
      ...(isPage && { Accept: 'text/html' }),
      ...(method !== 'GET' && { 'Content-Type': 'application/x-www-form-urlencoded' }),
    },
    ...(method !== 'GET' && { body: new URLSearchParams(form).toString() }),
  })
}

/** Pages send whoever is not logged in to do so; what is another's is not there. */
function isRefusal({ status, headers }: PlainAnswer, { access }: Route): boolean {
  if (status === 401 || status === 403) return true
  const isPage = access === 'page' || access === 'administration'
  // To revoke what one does not have is done already; that nothing was is looked at in the end.
  const isElsewhere = /^\/(?:login|profile\?notice=revoked$)/.test(headers.location ?? '')
  return isPage && (status === 404 || isElsewhere)
}

/** All that somebody who may not could have changed. */
async function state({ runtime: { db } }: Service): Promise<string> {
  const columns = ['api_key', 'user_id', 'name', 'revoked_at', 'secret_version', 'expires_at']
  const pairs = await db('key_pairs').select(columns).orderBy('id')
  return JSON.stringify([pairs, await db('users').orderBy('id'), await db('sessions').pluck('id')])
}

onEachDatabase(
  'nobody uses a route that is not theirs',
  async (t, service) => {
    t.timeout(300_000)
    const ada = await service.createUser('ada')
    await service.createUser('root', 'administrator')
    const callers = await createCallers(service, ada)
    const about = { user: ada, apiKey: (await service.mint(ada.id, nameOfPair)).api_key }
    const routes = await listRoutes(service)
    t.true(routes.length > 50, `${routes.length} routes`)
    const before = await state(service)
    const passed: string[] = []
    let refused = 0
    for (const route of routes) {
      for (const role of roles) {
        if (mayUse(route, role) !== false) continue
        const answer = await ask(service, route, about, callers[role])
        const isSound = isRefusal(answer, route) && !answer.text.includes(nameOfPair)
        const what = `${route.method} ${route.path} by ${role}: ${answer.status}`
        if (!isSound) passed.push(`${what} ${answer.text.slice(0, 200)}`)
        refused++
      }
    }
    t.deepEqual(passed, [])
    t.true(refused > 300, `${refused} refusals`)
    t.is(await state(service), before)
    t.false(service.log().includes('"level":50'))
  },
  env,
)

/** Over REST: whose session it is decides, not whether there is one. */
const forAdministrators = /^\w+ \/wp-json\/wp\/v2\/(?:users|audit)$|^PATCH .*\/users\/\{id\}$/

const authorisation =
  /rest_not_logged_in|rest_authentication_edit_user_error|rest_user_cannot_view|rest_forbidden_context|rest_cookie_invalid_nonce|rest_cannot_create_user|rest_authentication_no_token|insufficient_scope/

/** A refusal for what was sent is as good as any answer: the door was open. */
function assertPassed(t: ExecutionContext, answer: PlainAnswer, what: string): void {
  t.not(answer.status, 401, what)
  t.true(answer.status < 500, what)
  t.false(answer.headers.location?.startsWith('/login') ?? false, what)
  t.notRegex(answer.text, authorisation, what)
}

onEachDatabase(
  'whoever may use a route gets through',
  async (t, service) => {
    // Else the refusals would prove nothing.
    t.timeout(300_000)
    const root = await service.createUser('root', 'administrator')
    const ada = await service.createUser('ada')
    const callers = await createCallers(service, ada)
    let n = 0
    for (const route of await listRoutes(service)) {
      const { access, method, path } = route
      if (access === 'anybody') continue
      // What is done to somebody's account must not be in the way of the next request.
      const user = method === 'GET' ? ada : await service.createUser(`user${n++}`)
      const apiKey = (await service.mint(user.id)).api_key
      const about = { user, apiKey }
      const own = await sessionOf(service, user)
      const what = `${method} ${path}`
      if (access === 'administration' || forAdministrators.test(what)) {
        const administrator = await sessionOf(service, root)
        assertPassed(
          t,
          await ask(service, route, about, administrator),
          `${what} by an administrator`,
        )
        continue
      }
      if (['person', 'page', 'cookie', 'viewer'].includes(access)) {
        assertPassed(t, await ask(service, route, about, own), `${what} by its owner`)
      }
      if (access === 'bearer' || access === 'viewer') {
        for (const role of ['access token', 'scoped token'] as const) {
          const answer = await ask(service, route, { ...about, user: ada }, callers[role])
          assertPassed(t, answer, `${what} by ${role}`)
        }
      }
      if (access === 'client') {
        const pair = await service.mint(user.id)
        const basic = { Authorization: `Basic ${btoa(`${pair.api_key}:${pair.api_secret}`)}` }
        const answer = await ask(service, route, about, { headers: basic })
        assertPassed(t, answer, `${what} by a key-pair`)
      }
      if (path.includes('{user_id}') || path.startsWith('/users/{id}/profile')) {
        const administrator = await sessionOf(service, root)
        assertPassed(
          t,
          await ask(service, route, about, administrator),
          `${what} by an administrator`,
        )
      }
    }
  },
  env,
)
