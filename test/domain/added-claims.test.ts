import test from 'ava'
import { buildClaims } from '../../src/domain/access-token.js'
import { addClaims, maxAddedClaims } from '../../src/domain/added-claims.js'

const claims = buildClaims({
  type: 'access',
  issuer: 'https://id.example.com',
  user: { id: 7, login: 'ada', email: 'ada@example.com' },
  apiKey: '7abc',
  lifetime: 60,
  issuedAt: 1000,
  id: 'one',
})

test('new claims are added beside the reserved ones', (t) => {
  const { claims: merged, ignored } = addClaims(claims, { plan: 'gold', data: { tenant: 1 } })
  t.deepEqual(ignored, [])
  t.deepEqual(merged as object, { ...claims, plan: 'gold', data: { ...claims.data, tenant: 1 } })
})

test('the whole payload with additions is the same as the additions', (t) => {
  const given = { ...claims, plan: 'gold', data: { user: { ...claims.data.user, team: 'red' } } }
  const { claims: merged, ignored } = addClaims(claims, given)
  t.deepEqual(ignored, [])
  t.is(merged.data.user.id, 7)
  t.is((merged.data.user as any).team, 'red')
})

test('no reserved claim is added, changed or taken away', (t) => {
  const user = {
    id: 1,
    type: 'x',
    user_login: 'x',
    user_email: 'x',
    api_key: 'x',
    secret_version: 9,
  }
  const given = {
    ...{
      iss: 'x',
      sub: 'x',
      aud: 'x',
      exp: 1,
      nbf: 1,
      iat: 1,
      jti: 'x',
      client_id: 'x',
      scope: 'x',
    },
    data: { user: { ...user, token_type: 'refresh', device_chain: 'x', revocable: true } },
  }
  const { claims: merged, ignored } = addClaims(claims, given)
  t.deepEqual(merged, claims)
  t.is(ignored.length, 18)
})

test('a prototype is no claim', (t) => {
  const given = JSON.parse('{"__proto__":{"admin":true},"data":{"__proto__":{"x":1}},"a":1}')
  const { claims: merged } = addClaims(claims, given)
  t.is((merged as any).admin, undefined)
  t.is((merged.data as any).x, undefined)
  t.is((merged as any).a, 1)
})

test('what is no object, or too much, is refused', (t) => {
  for (const given of [undefined, null, 5, 'x', [], [1], { data: 5 }, { data: { user: [] } }]) {
    t.throws(() => addClaims(claims, given), { instanceOf: TypeError })
  }
  const cycle: Record<string, unknown> = {}
  cycle.self = cycle
  t.throws(() => addClaims(claims, cycle), { instanceOf: TypeError })
  t.throws(() => addClaims(claims, { long: 'x'.repeat(maxAddedClaims) }), { message: /2048 bytes/ })
})
