import type { ExecutionContext } from 'ava'
import { bytesOf, orderOfP256 } from '../../attack/jwt/signatures.js'
import { base64url, hmacToken, type Json, take } from '../../attack/forge.js'
import { bearer, jwtSecret, onEachDatabase, type Service } from '../helpers/with-service.js'
import { signWith } from '../oauth-clients/with-signing-key.js'
import { patient } from './patient.js'

// Tokens with a right signature that say what no token of ours says. Who could make them has the secret,
// or has found another thing that is signed with it.

const past = 1_000_000_000
const future = 4_000_000_000

/** Values that are no NumericDate (RFC 7519, section 2). */
const noTimes: unknown[] = [
  '4000000000',
  '',
  'never',
  true,
  false,
  null,
  [],
  [future],
  {},
  { $gt: 0 },
]

type Change = Record<string, unknown> | ((claims: Json) => Json)

function refusedChanges(url: string, other: { id: number; key: string }): Record<string, Change> {
  const changes: Record<string, Change> = {}
  for (const name of ['exp', 'nbf', 'iat']) {
    for (const value of noTimes) changes[`${name} ${JSON.stringify(value)}`] = { [name]: value }
  }
  const user = (over: Json) => (claims: Json) => ({
    ...claims,
    data: { user: { ...(claims.data as { user: Json }).user, ...over } },
  })
  for (const exp of [0, -1, -1e308, past, past + 0.5, undefined]) changes[`exp ${exp}`] = { exp }
  for (const at of [future, future + 0.5, 1e308]) {
    changes[`nbf ${at}`] = { nbf: at }
    changes[`iat ${at}`] = { iat: at }
  }
  const issuers = [
    [url],
    ['https://attacker.sample.org', url],
    [],
    {},
    null,
    '',
    0,
    true,
    `${url}/`,
  ]
  for (const iss of [...issuers, url.toUpperCase(), `${url} `, `${url}\0`, undefined]) {
    changes[`iss ${JSON.stringify(iss)}`] = { iss }
  }
  const others = 'https://other.sample.org'
  for (const aud of [others, [others], [], {}, null, '', 0, true, [[url]], [url, 1], { 0: url }]) {
    changes[`aud ${JSON.stringify(aud)}`] = { aud }
  }
  for (const data of [
    undefined,
    null,
    [],
    'x',
    1,
    { user: null },
    { user: [] },
    { user: 'x' },
    {},
  ]) {
    changes[`data ${JSON.stringify(data)}`] = { data }
  }
  for (const id of ['1', 1.5, 0, -1, [1], {}, null, 2 ** 53, true, other.id, undefined]) {
    changes[`user id ${JSON.stringify(id)}`] = user({ id })
  }
  for (const api_key of [
    other.key,
    [other.key],
    {},
    null,
    '',
    0,
    true,
    "' or 1=1 --",
    '\0',
    '🔑',
    undefined,
  ]) {
    changes[`api_key ${JSON.stringify(api_key)}`] = user({ api_key })
  }
  for (const secret_version of [1, 99, -1, 0.5, 1e308]) {
    changes[`secret version ${secret_version}`] = user({ secret_version })
  }
  for (const text of ['root', 'ADA', 'ada ', '', null, ['ada'], undefined]) {
    changes[`login ${JSON.stringify(text)}`] = user({ user_login: text })
    changes[`e-mail ${JSON.stringify(text)}`] = user({ user_email: text })
  }
  changes['another user altogether'] = user({ id: other.id, api_key: other.key })
  return changes
}

/** In the two headers that a token of the secret can have: ours, and anybody's. */
const headers: Json[] = [{ typ: 'JWT', alg: 'HS256' }, { alg: 'HS256' }]

async function statuses(service: Service, token: string): Promise<number[]> {
  const paths = ['/wp/v2/token/validate', '/wp/v2/users/me', '/forward-auth']
  const answers = await Promise.all(
    paths.map((path) => service.fetch(path, { headers: bearer(token) })),
  )
  await Promise.all(answers.map((answer) => answer.text()))
  const exchanged = await service.json('/wp/v2/token', { fields: { refresh_token: token } })
  return [...answers.map(({ status }) => status), exchanged.status]
}

async function assertRefused(t: ExecutionContext, service: Service, token: string, what: string) {
  const seen = await statuses(service, token)
  t.true(
    seen.every((status) => status === 401 || status === 403),
    `${what}: ${seen}`,
  )
}

onEachDatabase(
  'what is signed well and says odd things is refused everywhere',
  async (t, service) => {
    t.timeout(300_000)
    const user = await service.createUser('ada')
    const bob = await service.createUser('bob')
    const other = { id: bob.id, key: (await service.mint(bob.id)).api_key }
    const { access_token, refresh_token } = await service.exchange(await service.mint(user.id))
    for (const [what, change] of Object.entries(refusedChanges(service.url, other))) {
      for (const token of [access_token, refresh_token]) {
        const { claims } = take(token)
        const changed = typeof change === 'function' ? change(claims) : { ...claims, ...change }
        for (const header of headers) {
          const kind = `${what}, ${header.typ}, ${token === refresh_token ? 'refresh' : 'access'}`
          // The exchange does not ask for whom a refresh token is: nobody else's has that type.
          if (what.startsWith('aud') && token === refresh_token) continue
          await assertRefused(t, service, hmacToken(header, changed, jwtSecret), kind)
        }
      }
    }
    // Numbers that JSON has and doubles have not.
    const text = JSON.stringify(take(access_token).claims)
    for (const exp of ['1e999', '-1e999', '1E400']) {
      const endless = text.replace(/"exp":\d+/, `"exp":${exp}`)
      await assertRefused(t, service, hmacToken({ alg: 'HS256' }, endless, jwtSecret), exp)
    }
    const twice = text.replace(/\}$/, `,"exp":${past}}`)
    await assertRefused(t, service, hmacToken({ alg: 'HS256' }, twice, jwtSecret), 'exp twice')
    t.deepEqual(await statuses(service, access_token), [200, 200, 204, 403], 'the real one')
    t.deepEqual(await statuses(service, refresh_token), [200, 403, 401, 200], 'the real one')
    t.false(service.log().includes('"level":50'))
  },
  patient,
)

onEachDatabase(
  'what is signed for another purpose, or names a key that is not its own, is refused',
  async (t, service) => {
    const user = await service.createUser('ada')
    const { access_token } = await service.exchange(await service.mint(user.id))
    const kid = await signWith(service, 'ES256')
    const { claims } = take(access_token)
    const types = [
      'statuslist+jwt',
      'id_token',
      'dpop+jwt',
      'secevent+jwt',
      'token-introspection+jwt',
    ]
    for (const typ of [
      ...types,
      'logout+jwt',
      'JOSE',
      'JOSE+JSON',
      'xJWT',
      '',
      null,
      1,
      ['JWT'],
      {},
    ]) {
      const token = hmacToken({ typ, alg: 'HS256' } as Json, claims, jwtSecret)
      await assertRefused(t, service, token, `typ ${JSON.stringify(typ)}`)
    }
    for (const header of [
      { typ: 'JWT', alg: 'HS256', kid },
      { typ: 'JWT', alg: 'HS256', kid: 'unknown' },
      { typ: 'JWT', alg: 'HS256', kid: 'A'.repeat(43) },
      { typ: 'JWT', alg: 'HS256', kid: '' },
      { typ: 'JWT', alg: 'HS256', kid: null },
      { typ: 'JWT', alg: 'ES256', kid },
      { typ: 'JWT', alg: 'HS512' },
      { typ: 'JWT', alg: 'HS256', crit: ['exp'], exp: future },
      { typ: 'JWT', alg: 'HS256', b64: false, crit: ['b64'] },
    ]) {
      const token = hmacToken(header as Json, claims, jwtSecret)
      await assertRefused(t, service, token, JSON.stringify(header))
    }
    for (const typ of ['jwt', 'at+jwt', 'application/at+jwt', undefined]) {
      const token = hmacToken({ typ, alg: 'HS256' }, claims, jwtSecret)
      t.is((await statuses(service, token))[0], 200, `typ ${typ} is a token's`)
    }
  },
)

onEachDatabase(
  'the other signature that a curve has for the same token dies with its key',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    await signWith(service, 'ES256')
    const { access_token } = await service.exchange(pair)
    const { header, payload, signature } = take(access_token)
    const bytes = Buffer.from(signature, 'base64url')
    const s = BigInt(`0x${bytes.subarray(32).toString('hex')}`)
    const mirrored = Buffer.concat([bytes.subarray(0, 32), bytesOf(orderOfP256 - s, 32)])
    const twin = `${header}.${payload}.${base64url(mirrored)}`
    t.not(twin, access_token)
    for (let i = 0; i < 3; i++) {
      t.is((await statuses(service, access_token))[0], 200)
      t.is((await statuses(service, twin))[0], 200, 'RFC 7518 has no lower half')
    }
    t.true(
      await service.runtime.services.keyPairs.revoke({ kind: 'operator' }, user.id, pair.api_key),
    )
    await assertRefused(t, service, access_token, 'after revocation')
    await assertRefused(t, service, twin, 'after revocation')
  },
)
