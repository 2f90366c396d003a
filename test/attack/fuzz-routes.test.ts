import { setTimeout as wait } from 'node:timers/promises'
import fc from 'fast-check'
import { multipart, multipartType } from '../helpers/multipart.js'
import { sendPlain } from '../helpers/raw-request.js'
import { bearer, onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'
import { oneOf, requestCount, seed, text, value } from './fuzz.js'
import { patient } from './patient.js'
import { listRoutes, sessionOf } from './routes.js'

// Random requests to every route, by everybody: no 500, no hang, no secret in the log.

interface RandomRequest {
  method: string
  path: string
  headers: Record<string, string>
  body: Buffer
}

/** What a header can hold, so that the request leaves at all. */
const headerText = (input: string) => input.replace(/[^\t\x20-\x7e\x80-\xff]/g, '').trim()
const pathText = (input: string) =>
  input.replace(/[^\x21-\x7e]/g, (it) => encodeURIComponent(it.toWellFormed()))

async function createWorld(service: Service) {
  const ada = await service.createUser('ada')
  const root = await service.createUser('root', 'administrator')
  const pair = await service.mint(ada.id)
  const tokens = await service.exchange(pair)
  const own = await sessionOf(service, ada)
  const administrator = await sessionOf(service, root)
  const basic = { Authorization: `Basic ${btoa(`${pair.api_key}:${pair.api_secret}`)}` }
  return {
    ada,
    pair,
    tokens,
    callers: [
      {},
      bearer(tokens.access_token),
      basic,
      own.headers,
      own.headers,
      administrator.headers,
      administrator.headers,
    ],
    nonces: [own.nonce, administrator.nonce],
    secrets: [
      pair.api_secret,
      tokens.access_token,
      tokens.refresh_token,
      String(own.headers.Cookie).split('=')[1] ?? '',
      passwordOf('ada'),
      passwordOf('root'),
    ],
  }
}

type World = Awaited<ReturnType<typeof createWorld>>

const names = [
  'name',
  'user_id',
  'api_key',
  'api_secret',
  'refresh_token',
  'grant_type',
  'client_id',
  'client_secret',
  'token',
  'scope',
  'resource',
  'expires_at',
  'scopes',
  'networks',
  'description',
  'overlap',
  'user_login',
  'password',
  'old_password',
  'new_password',
  'repeat_password',
  'next',
  'form_token',
  'session',
  'role',
  'user_email',
  'display_name',
  '_wpnonce',
  'otp',
  'code',
  'device',
  '__proto__',
  'constructor',
  'scopes[]',
  'a[b][c]',
]

function bodies({ pair, tokens, nonces }: World): fc.Arbitrary<{ type: string; body: Buffer }> {
  const known = [
    pair.api_key,
    pair.api_secret,
    tokens.refresh_token,
    ...nonces,
    'client_credentials',
    'ada',
  ]
  const name = oneOf(names)
  const field = fc.oneof(
    { weight: 1, arbitrary: fc.constantFrom(...known) },
    { weight: 3, arbitrary: text },
  )
  // Without the nonce no form gets far.
  const nonce = fc.constantFrom(...nonces.map((it): [string, string][] => [['_wpnonce', it]]), [])
  const pairs = fc
    .tuple(nonce, fc.array(fc.tuple(name, field), { maxLength: 6 }))
    .map(([first, rest]) => [...first, ...rest])
  const json = fc
    .dictionary(name, fc.oneof(field, value), { maxKeys: 6 })
    .map((it) => JSON.stringify(it))
  return fc.oneof(
    json.map((it) => ({ type: 'application/json', body: Buffer.from(it) })),
    pairs.map((it) => ({
      type: 'application/x-www-form-urlencoded',
      body: Buffer.from(
        it.map(([key, val]) => `${key}=${encodeURIComponent(val.toWellFormed())}`).join('&'),
      ),
    })),
    pairs.map((it) => ({
      type: multipartType,
      body: Buffer.from(
        multipart(it.map(([key, val]) => ({ name: key.replace(/[\r\n"]/g, ''), value: val }))),
      ),
    })),
    fc.record({
      type: oneOf([
        'application/json',
        'application/x-www-form-urlencoded',
        multipartType,
        'multipart/form-data',
        'text/plain',
      ]),
      body: fc
        .oneof(fc.uint8Array({ maxLength: 300 }), text, json)
        .map((it) => Buffer.from(it as string)),
    }),
  )
}

function requests(
  world: World,
  routes: readonly { method: string; path: string }[],
): fc.Arbitrary<RandomRequest> {
  const parameter = oneOf([
    world.pair.api_key,
    String(world.ada.id),
    '2',
    '0',
    '99999999999999999999',
  ])
  const route = fc.constantFrom(...routes).chain(({ method, path }) =>
    fc.record({
      method: fc.oneof(
        { weight: 5, arbitrary: fc.constant(method) },
        {
          weight: 1,
          arbitrary: fc.constantFrom('GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'),
        },
      ),
      path: fc.array(parameter, { minLength: 3, maxLength: 3 }).map((values) => {
        let i = 0
        return path.replace(/\{\w+\}/g, () =>
          encodeURIComponent(String(values[i++]).toWellFormed()),
        )
      }),
    }),
  )
  const stray = fc.record({
    method: fc.constantFrom('GET', 'POST'),
    path: text.map((it) => `/${pathText(it)}`),
  })
  const query = fc.array(
    fc.tuple(
      oneOf([
        'page',
        'per_page',
        'search',
        'context',
        'status',
        'q',
        'show',
        'notice',
        'next',
        'rest_route',
        'scope',
      ]),
      text,
    ),
    { maxLength: 3 },
  )
  const extra = fc.dictionary(
    fc.constantFrom(
      'Authorization',
      'Cookie',
      'X-WP-Nonce',
      'Origin',
      'Accept',
      'User-Agent',
      'X-HTTP-Method-Override',
      'X-Forwarded-For',
      'X-Forwarded-Uri',
      'If-None-Match',
      'Content-Encoding',
      'Accept-Language',
    ),
    oneOf([
      'Bearer x.y.z',
      'Basic Og==',
      'twinkey_session=x',
      'text/html',
      '*/*;q=x',
      'DELETE',
      'PATCH',
      'null',
      'gzip',
      '1.2.3.4, ::1',
    ]).map(headerText),
    { maxKeys: 3 },
  )
  return fc
    .record({
      target: fc.oneof({ weight: 9, arbitrary: route }, { weight: 1, arbitrary: stray }),
      query,
      caller: fc.constantFrom(...world.callers),
      extra,
      content: bodies(world),
    })
    .map(({ target: { method, path }, query, caller, extra, content }) => {
      const search = query.map(
        ([name, it]) => `${pathText(name)}=${encodeURIComponent(it.toWellFormed())}`,
      )
      const hasBody = method !== 'GET' && method !== 'HEAD'
      const type = headerText(content.type)
      return {
        method,
        path: search.length > 0 ? `${path}?${search.join('&')}` : path,
        headers: { ...(hasBody && type && { 'Content-Type': type }), ...caller, ...extra },
        body: hasBody ? content.body : Buffer.alloc(0),
      }
    })
}

async function send(service: Service, request: RandomRequest): Promise<void> {
  const { path, body, ...rest } = request
  const sent = sendPlain(service.url, path, { ...rest, ...(body.length > 0 && { body }) })
  const answer = await Promise.race([sent, wait(60_000, undefined, { ref: false })])
  const about = () =>
    `${rest.method} ${path} ${JSON.stringify(rest.headers)} ${JSON.stringify(body.toString())}`
  if (!answer) throw new Error(`no answer in a minute: ${about()}`)
  if (answer.status >= 500 || answer.status < 200) throw new Error(`${answer.status}: ${about()}`)
}

onEachDatabase(
  `${requestCount} random requests are all answered, and none with a 500`,
  async (t, service) => {
    t.timeout(600_000 + requestCount * 100)
    const world = await createWorld(service)
    service.ignoreSentSecrets()
    const routes = await listRoutes(service)
    const atOnce = 8
    const batch = fc.array(requests(world, routes), { minLength: atOnce, maxLength: atOnce })
    const property = fc.asyncProperty(batch, async (all) => {
      await Promise.all(all.map((request) => send(service, request)))
    })
    try {
      await fc.assert(property, {
        seed,
        numRuns: Math.ceil(requestCount / atOnce),
        endOnFailure: true,
      })
    } catch (error) {
      const ours = service.log().match(/.*"level":[56]0.*/g) ?? []
      t.fail(`FUZZ_SEED=${seed} repeats this: ${(error as Error).cause}\n${ours.join('\n')}`)
    }
    t.notRegex(service.log(), /"level":[56]0/)
    for (const secret of world.secrets) t.false(service.log().includes(secret), `seed ${seed}`)
    t.is((await service.json('/readyz')).status, 200)
    const eve = await service.createUser('eve')
    const { access_token } = await service.exchange(await service.mint(eve.id))
    t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).body.id, eve.id)
  },
  patient,
)
