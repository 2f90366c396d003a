import type { Hooks } from '../../src/hooks.js'
import { requireToken } from '../../src/index.js'
import { withApi } from '../helpers/with-api.js'
import { bearer, onEachDatabase, type Pair, type Service } from '../helpers/with-service.js'

const never = new Promise<never>(() => {})

/** What a hook may do wrong, and the status of the answer then. */
const misdeeds: Record<string, { act: () => any; status: 500 | 504 }> = {
  throws: {
    act: () => {
      throw new Error('The inside of the hook')
    },
    status: 500,
  },
  rejects: { act: () => Promise.reject(new Error('The inside of the hook')), status: 500 },
  lies: { act: () => Promise.resolve(Symbol('not what was asked for')), status: 500 },
  hangs: { act: () => never, status: 504 },
}

/** Each hook does wrong only for whoever is named after it, e.g. `tokenExpires.hangs`. */
function act(hook: string, name: string | undefined, usual: unknown): any {
  const [named, misdeed = ''] = (name ?? '').split('.')
  return named === hook ? misdeeds[misdeed]?.act() : usual
}

const hooks: Partial<Hooks> = {
  tokenExpires: (seconds, { user }) => act('tokenExpires', user.login, seconds),
  refreshTokenExpires: (seconds, { user }) => act('refreshTokenExpires', user.login, seconds),
  privateClaims: (_, { user }) => act('privateClaims', user.login, {}),
  tokenResponse: (body, { user }) => act('tokenResponse', user.login, body),
  validateToken: (_, { user }) => act('validateToken', user.login, undefined),
  extraTokenCheck: (_, { user }) => act('extraTokenCheck', user.login, ''),
  user: (_, { fields }) => act('user', String(fields.as), undefined),
  isRestRequest: (is, { path }) => act('isRestRequest', path?.slice(1), is),
  requireToken: (is, { path }) => act('requireToken', path?.slice(1), is),
  invalidToken: (_, { path }) => act('invalidToken', path?.slice(1), 'anonymous'),
}
const extensions = { hooks, hookTimeoutMs: 100, forwardAuth: { uriFrom: 'X-Path' } }

interface Person {
  login: string
  pair: Pair
  /** Empty until there is one. */
  token: string
  refreshToken: string
}

/** Each way to ask for what a hook decides about. */
const asks = {
  exchange: (service: Service, { pair, login }: Person) =>
    post(service, '/wp/v2/token', { ...pair, as: login }),
  grant: (service: Service, { pair }: Person) =>
    post(service, '/oauth2/token', { grant_type: 'client_credentials', ...client(pair) }),
  refresh: (service: Service, { refreshToken }: Person) =>
    post(service, '/wp/v2/token', { refresh_token: refreshToken }),
  introspect: (service: Service, { pair, token }: Person) =>
    post(service, '/oauth2/introspect', { ...client(pair), token }),
  validate: (service: Service, { token }: Person) =>
    service.fetch('/wp/v2/token/validate', { headers: bearer(token) }),
  read: (service: Service, { token }: Person) =>
    service.fetch('/wp/v2/users/me', { headers: bearer(token) }),
  forward: (service: Service, { token, login }: Person) =>
    service.fetch('/forward-auth', { headers: { ...bearer(token), 'X-Path': `/${login}` } }),
  embedded: (service: Service, { token, login }: Person) =>
    withApi(
      [
        requireToken(service.runtime.services),
        (ctx) => {
          ctx.body = {}
        },
      ],
      (url) => fetch(`${url}/${login}`, { headers: bearer(token) }),
    ),
} satisfies Record<string, (service: Service, person: Person) => Promise<Response>>

function post(service: Service, path: string, fields: Record<string, string>) {
  return service.fetch(path, { method: 'POST', body: new URLSearchParams(fields) })
}

const client = ({ api_key, api_secret }: Pair) => ({
  client_id: api_key,
  client_secret: api_secret,
})

const checking: readonly string[] = ['validateToken', 'extraTokenCheck']
const guarding: readonly string[] = ['isRestRequest', 'requireToken', 'invalidToken']

/** Every hook with every way to ask for what it decides about. */
const pairings: Partial<Record<keyof Hooks, (keyof typeof asks)[]>> = {
  user: ['exchange'],
  refreshTokenExpires: ['exchange'],
  tokenExpires: ['exchange', 'grant'],
  privateClaims: ['exchange', 'grant'],
  tokenResponse: ['exchange', 'grant'],
  validateToken: ['validate', 'read', 'forward', 'embedded', 'introspect', 'refresh'],
  extraTokenCheck: ['validate', 'read', 'forward', 'embedded', 'introspect', 'refresh'],
  isRestRequest: ['forward', 'embedded'],
  requireToken: ['forward', 'embedded'],
  invalidToken: ['forward', 'embedded'],
}

for (const [misdeed, { status }] of Object.entries(misdeeds)) {
  onEachDatabase(
    `a hook that ${misdeed} fails the request that it was asked about, and no other`,
    async (t, service) => {
      const ada = await newPerson(service, 'ada')
      Object.assign(ada, await tokensOf(service, ada))
      for (const [hook, ways] of Object.entries(pairings)) {
        const person = await newPerson(service, `${hook}.${misdeed}`)
        if (checking.includes(hook)) Object.assign(person, await tokensOf(service, person))
        if (guarding.includes(hook)) person.token = hook === 'invalidToken' ? 'x.y.z' : ada.token
        for (const ask of ways) {
          const [answer, other] = await Promise.all([
            asks[ask](service, person),
            asks[ask](service, ada),
          ])
          t.is(answer.status, status, `${hook}, ${ask}`)
          t.true(other.ok, `${hook}, ${ask}: somebody else`)
          t.is(answer.headers.get('X-Auth-User-Id'), null)
          const text = await answer.text()
          t.false(/access_token|inside of the hook/i.test(text), `${hook}, ${ask}`)
          if (ask === 'forward') t.is(text, '')
          else
            t.regex(text, /rest_internal_error|rest_hook_timed_out|"error":"(server|temporarily)_/)
          t.regex(service.log(), new RegExp(`"hook":"${hook}"`))
        }
      }
    },
    {},
    extensions,
  )
}

async function newPerson(service: Service, login: string): Promise<Person> {
  const user = await service.createUser(login)
  return { login, pair: await service.mint(user.id), token: '', refreshToken: '' }
}

async function tokensOf(service: Service, { pair }: Person) {
  const { access_token, refresh_token } = await service.exchange(pair)
  return { token: access_token, refreshToken: refresh_token }
}

onEachDatabase(
  'a schema’s hook that throws fails OPTIONS alone',
  async (t, service) => {
    const options = await service.json('/wp/v2/token', { method: 'OPTIONS' })
    t.is(options.status, 500)
    const user = await service.createUser('ada')
    t.truthy(await service.exchange(await service.mint(user.id)))
  },
  {},
  {
    hooks: {
      tokenSchema: () => {
        throw new Error('The inside of the hook')
      },
    },
  },
)
