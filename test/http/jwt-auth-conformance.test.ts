import { createHmac } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { ExecutionContext } from 'ava'
import { operator } from '../../src/domain/actor.js'
import {
  type JwtAuthAnswer,
  jwtAuthApi,
  logInWithPair,
  post,
  readAnswer,
  refreshed,
} from '../helpers/jwt-auth-client.js'
import {
  jwtSecret,
  onEachDatabase,
  type Pair,
  passwordOf,
  type Service,
} from '../helpers/with-service.js'

// What clients of usefulteam/jwt-auth see on the wire. The rows were recorded from the plugin.

interface Row {
  name: string
  status: number
  code: string
  message?: string
  /** How the message begins, and what it is like. */
  begins?: string
  matches?: string
  data?: 'user' | 'empty' | 'absent' | 'wordpress'
}

interface TokenRow extends Row {
  encoding?: string
  fields?: Record<string, unknown>
  text?: string
  query?: string
  headers?: Record<string, string>
  /** Which refresh token comes along: one of {@link holders}. */
  with?: string
  value?: string
  /** Whether the answer sets one. */
  cookie?: boolean
}

interface ValidateRow extends Row {
  header?: string
  cookie?: string
  fields?: Record<string, string>
  /** Whose token: one of {@link bearers}. */
  of?: string
  forge?: Forgery
}

interface Forgery {
  header?: object
  /** Claims; `null` takes one away. */
  set?: Record<string, unknown>
  user?: Record<string, unknown>
  /** Seconds from now. */
  times?: Record<string, number>
  otherKey?: boolean
  tampered?: boolean
}

const fixture = JSON.parse(
  readFileSync(new URL('../fixtures/jwt-auth-cases.json', import.meta.url), 'utf8'),
) as { credentials: TokenRow[]; mint: TokenRow[]; refresh: TokenRow[]; validate: ValidateRow[] }

let users = 0

/** A user of their own, so that no row is in another's way. */
async function createOwner(service: Service) {
  const login = `user${users++}`
  const user = await service.createUser(login)
  const pair = await service.mint(user.id)
  return { login, user, pair }
}

async function signOutDevices(service: Service, userId: number, pair: Pair): Promise<void> {
  const { devices } = service.runtime.services
  for (const { id } of await devices.list(operator, userId, pair.api_key)) {
    await devices.signOut(operator, userId, pair.api_key, id)
  }
}

type Ending = (service: Service, owner: Awaited<ReturnType<typeof createOwner>>) => Promise<unknown>

const endings = {
  'deleted user': (service, { user }) => service.runtime.services.users.delete(user.id),
  'changed password': (service, { user, login }) =>
    service.runtime.services.users.changePassword(user, passwordOf(login), 'another password 1'),
  'reset password': (service, { user }) =>
    service.runtime.services.users.resetPassword(user.id, 'another password 1'),
  'signed-out phone': (service, { user, pair }) => signOutDevices(service, user.id, pair),
  'revoked pair': (service, { user, pair }) =>
    service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key),
} satisfies Record<string, Ending>

const afterwards = (ending: Ending, device?: string) => async (service: Service) => {
  const owner = await createOwner(service)
  const tokens = await logInWithPair(service, owner.pair, device)
  await ending(service, owner)
  return tokens
}

/** With a key-pair of its own. Making users is slow, so all that need no other one share theirs. */
async function logIn(service: Service, device?: string) {
  const owner = owners.get(service) ?? createOwner(service)
  owners.set(service, owner)
  const { user } = await owner
  const pair = await service.mint(user.id)
  return { pair, user, ...(await logInWithPair(service, pair, device)) }
}

const owners = new WeakMap<Service, ReturnType<typeof createOwner>>()

const flipped = (cookie: string) => cookie.slice(0, -1) + (cookie.endsWith('0') ? '1' : '0')

/** How the refresh token of a row comes to be. */
const holders: Record<string, (service: Service) => Promise<string>> = {
  current: async (service) => (await logIn(service)).cookie,
  successor: async (service) => refreshed(service, (await logIn(service)).cookie),
  'used to mint': async (service) => {
    const { cookie } = await logIn(service)
    for (let i = 0; i < 3; i++) await post(service, '/token', { cookie })
    return cookie
  },
  superseded: async (service) => {
    const { cookie } = await logIn(service)
    await refreshed(service, cookie)
    return cookie
  },
  'superseded long ago': async (service) => {
    const { cookie } = await logIn(service)
    await refreshed(service, cookie)
    service.advance(60)
    return cookie
  },
  'superseded by credentials': async (service) => {
    const { cookie, pair } = await logIn(service)
    await logInWithPair(service, pair)
    return cookie
  },
  altered: async (service) => flipped((await logIn(service)).cookie),
  lengthened: async (service) => `${(await logIn(service)).cookie}123`,
  'of another user': async (service) => {
    const { cookie } = await logIn(service)
    const { user } = await createOwner(service)
    return cookie.replace(/^\d+/, String(user.id))
  },
  'of nobody': async (service) => (await logIn(service)).cookie.replace(/^\d+/, '999999'),
  'of user 0': async (service) => (await logIn(service)).cookie.replace(/^\d+/, '0'),
  'of a phone': async (service) => (await logIn(service, 'phone')).cookie,
  'of a phone beside a desk': async (service) => {
    const { cookie, pair } = await logIn(service, 'phone')
    await logInWithPair(service, pair, 'desk')
    return cookie
  },
  'access token': async (service) => (await logIn(service)).token,
  'of a deleted user': async (service) =>
    (await afterwards(endings['deleted user'])(service)).cookie,
  'of a changed password': async (service) =>
    (await afterwards(endings['changed password'])(service)).cookie,
  'of a signed-out phone': async (service) =>
    (await afterwards(endings['signed-out phone'], 'phone')(service)).cookie,
  'of a revoked pair': async (service) =>
    (await afterwards(endings['revoked pair'])(service)).cookie,
  expired: async (service) => {
    const { cookie } = await logIn(service)
    service.advance(30 * 86_400)
    return cookie
  },
}

const bearers: Record<string, (service: Service) => Promise<string>> = {
  'deleted user': async (service) => (await afterwards(endings['deleted user'])(service)).token,
  'changed password': async (service) =>
    (await afterwards(endings['changed password'])(service)).token,
  'reset password': async (service) => (await afterwards(endings['reset password'])(service)).token,
  'signed-out phone': async (service) =>
    (await afterwards(endings['signed-out phone'], 'phone')(service)).token,
  'revoked pair': async (service) => (await afterwards(endings['revoked pair'])(service)).token,
  'wp/v2 refresh token': async (service) =>
    (await service.exchange((await createOwner(service)).pair)).refresh_token,
}

function assertAnswer(t: ExecutionContext, row: Row, { status, body }: JwtAuthAnswer): void {
  const about = `${row.name}: ${JSON.stringify(body)}`
  t.is(status, row.status, about)
  t.is(body.code, row.code, about)
  if (row.message !== undefined) t.is(body.message, row.message, row.name)
  if (row.begins !== undefined) t.true(body.message.startsWith(row.begins), about)
  if (row.matches !== undefined) t.regex(body.message, new RegExp(row.matches), row.name)
  if (row.data === 'wordpress') {
    t.deepEqual(Object.keys(body), ['code', 'message', 'data'], row.name)
    t.is(body.data.status, row.status)
    return
  }
  const names = ['success', 'statusCode', 'code', 'message']
  t.deepEqual(Object.keys(body), row.data === 'absent' ? names : [...names, 'data'], row.name)
  t.is(body.success, row.status === 200, row.name)
  t.is(body.statusCode, row.status, row.name)
  if (row.data === 'empty') t.deepEqual(body.data, [], row.name)
}

const userNames = ['token', 'id', 'email', 'nicename', 'firstName', 'lastName', 'displayName']

async function send(
  service: Service,
  path: string,
  row: TokenRow,
  cookie: string | undefined,
  filled: (text: string) => string = (text) => text,
): Promise<JwtAuthAnswer> {
  const headers: Record<string, string> = { ...row.headers }
  if (cookie !== undefined) headers.Cookie = `refresh_token=${cookie}`
  const fields = JSON.parse(filled(JSON.stringify(row.fields ?? {})))
  const encoding = row.encoding ?? (row.fields ? 'urlencoded' : 'none')
  let body: BodyInit | null = null
  if (encoding === 'urlencoded') body = new URLSearchParams(fields)
  else if (encoding === 'multipart') {
    body = new FormData()
    for (const [name, value] of Object.entries(fields)) body.set(name, String(value))
  } else if (encoding !== 'none') {
    headers['Content-Type'] = encoding === 'json' ? 'application/json' : encoding
    body = row.text ?? JSON.stringify(fields)
  }
  const query = row.query === undefined ? '' : `?${filled(row.query)}`
  const url = `${jwtAuthApi}${path}${query}`
  return readAnswer(await service.fetch(url, { method: 'POST', headers, body }))
}

onEachDatabase('token with credentials answers as was recorded', async (t, service) => {
  const admin = await service.createUser('admin', 'administrator')
  await service.createUser('editor')
  const pair = await service.mint(admin.id)
  const filled = (text: string) =>
    text.replaceAll('{{secret}}', pair.api_secret).replaceAll('{{key}}', pair.api_key)
  t.true(fixture.credentials.length > 25)
  for (const row of fixture.credentials) {
    const cookie = row.with === undefined ? undefined : await holders[row.with]?.(service)
    const answer = await send(service, '/token', row, cookie, filled)
    assertAnswer(t, row, answer)
    t.is(answer.cookie !== undefined, row.cookie === true, row.name)
    if (row.data !== 'user') continue
    t.deepEqual(Object.keys(answer.body.data), userNames)
    t.like(answer.body.data, { id: admin.id, email: 'admin@sample.org', nicename: 'admin' })
    t.regex(answer.cookie ?? '', new RegExp(`^${admin.id}\\.[0-9a-f]{64}$`))
  }
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('token with the cookie answers as was recorded', async (t, service) => {
  t.true(fixture.mint.length > 20)
  for (const row of fixture.mint) {
    const cookie = await refreshTokenOf(service, row)
    const answer = await send(service, '/token', row, cookie)
    assertAnswer(t, row, answer)
    t.is(answer.cookie, undefined, row.name)
    if (row.data === 'user') t.deepEqual(Object.keys(answer.body.data), userNames)
  }
  t.false(service.log().includes('"level":50'))
})

onEachDatabase('token/refresh answers as was recorded', async (t, service) => {
  t.true(fixture.refresh.length > 12)
  for (const row of fixture.refresh) {
    const cookie = await refreshTokenOf(service, row)
    const headers =
      row.with === 'as bearer' ? { Authorization: `Bearer ${(await logIn(service)).token}` } : {}
    const answer = await send(service, '/token/refresh', { ...row, headers }, cookie)
    assertAnswer(t, row, answer)
    t.is(answer.cookie !== undefined, row.cookie === true, row.name)
    t.not(answer.cookie ?? '', cookie ?? 'none', row.name)
  }
  t.false(service.log().includes('"level":50'))
})

async function refreshTokenOf(service: Service, row: TokenRow): Promise<string | undefined> {
  if (row.with === 'literal') return row.value
  if (row.with === 'none' || row.with === 'as bearer') return undefined
  const holder = holders[row.with ?? '']
  if (!holder) throw new Error(`${row.name}: there is no "${row.with}"`)
  return holder(service)
}

onEachDatabase('token/validate answers as was recorded', async (t, service) => {
  t.true(fixture.validate.length > 30)
  for (const row of fixture.validate) {
    const { token, cookie } = await logIn(service)
    const filled = (text: string) =>
      text.replaceAll('{{token}}', token).replaceAll('{{cookie}}', cookie)
    const other = row.of === undefined ? undefined : await bearers[row.of]?.(service)
    const forged = row.forge && forge(token, row.forge, service.now())
    const presented = other ?? forged
    const header = presented === undefined ? row.header : `Bearer ${presented}`
    const response = await service.fetch(`${jwtAuthApi}/token/validate`, {
      method: 'POST',
      headers: {
        ...(header !== undefined && { Authorization: filled(header) }),
        ...(row.cookie && { Cookie: filled(row.cookie) }),
      },
      body: row.fields ? filled(new URLSearchParams(row.fields).toString()) : null,
    })
    const challenge = response.headers.get('WWW-Authenticate')
    assertAnswer(t, { ...row, data: 'empty' }, await readAnswer(response))
    t.is(challenge !== null, row.status === 401, row.name)
  }
  t.false(service.log().includes('"level":50'))
})

/** A token with another header, other claims or another signature than the genuine one. */
function forge(token: string, recipe: Forgery, now: number): string {
  const [header = '', payload = '', signature = ''] = token.split('.')
  if (recipe.tampered) {
    return `${header}.${payload}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  }
  const claims = JSON.parse(Buffer.from(payload, 'base64url').toString())
  change(claims, recipe.set ?? {})
  change(claims.data.user, recipe.user ?? {})
  for (const [name, seconds] of Object.entries(recipe.times ?? {})) claims[name] = now + seconds
  const encode = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url')
  const input = `${recipe.header ? encode(recipe.header) : header}.${encode(claims)}`
  const key = recipe.otherKey ? `${jwtSecret}-another` : jwtSecret
  return `${input}.${createHmac('sha256', key).update(input).digest('base64url')}`
}

function change(target: Record<string, unknown>, changes: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(changes)) {
    if (value === null) delete target[name]
    else target[name] = value
  }
}
