import test from 'ava'
import { formFault, timeFault } from '../../src/domain/token-fault.js'

const encode = (text: string) => Buffer.from(text).toString('base64url')
const header = (value: unknown) => `${encode(JSON.stringify(value))}.${encode('{}')}.x`

for (const [token, fault] of [
  ['', 'Wrong number of segments'],
  ['a.b', 'Wrong number of segments'],
  ['a.b.c.d', 'Wrong number of segments'],
  [`a.${encode('{}')}.c`, 'Invalid header encoding'],
  [`${encode('[]')}.${encode('{}')}.c`, 'Invalid header encoding'],
  [`${encode('null')}.${encode('{}')}.c`, 'Invalid header encoding'],
  [`${encode('{"alg":"HS256"}')}.b.c`, 'Invalid claims encoding'],
  [header({}), 'Empty algorithm'],
  [header({ alg: null }), 'Empty algorithm'],
  [header({ alg: '' }), 'Empty algorithm'],
  [header({ alg: 'none' }), 'Algorithm not supported'],
  [header({ alg: ['HS256'] }), 'Algorithm not supported'],
  [header({ alg: 'toString' }), 'Algorithm not supported'],
  [header({ alg: 'HS512' }), 'Incorrect key for this algorithm'],
  [header({ alg: 'ES256' }), 'Incorrect key for this algorithm'],
  [header({ alg: 'ES256', kid: 'a' }), undefined],
  [header({ alg: 'HS256' }), undefined],
] as const) {
  test(`of ${token.slice(0, 40)}: ${fault ?? 'nothing to be seen'}`, (t) => {
    t.is(formFault(token), fault)
  })
}

const never = { notBefore: undefined, issuedAt: undefined, expiresAt: undefined }

for (const [times, fault] of [
  [{}, undefined],
  [{ expiresAt: 1001 }, undefined],
  [{ expiresAt: 1000 }, 'Expired token'],
  [{ notBefore: 1000, issuedAt: 1000 }, undefined],
  [{ notBefore: 1001 }, 'Cannot handle token prior to 1970-01-01T00:16:41+0000'],
  [{ issuedAt: 1001.5 }, 'Cannot handle token prior to 1970-01-01T00:16:41+0000'],
  [{ issuedAt: 1001, expiresAt: 1 }, 'Cannot handle token prior to 1970-01-01T00:16:41+0000'],
  [{ notBefore: 1e300 }, 'Cannot handle token prior to 1e+300'],
] as const) {
  test(`at 1000, of ${JSON.stringify(times)}: ${fault ?? 'nothing'}`, (t) => {
    t.is(timeFault({ ...never, ...times }, 1000), fault)
  })
}
