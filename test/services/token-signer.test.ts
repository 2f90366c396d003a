import { createHmac } from 'node:crypto'
import test from 'ava'
import { CompactSign, decodeProtectedHeader, jwtVerify } from 'jose'
import { buildClaims, type PresentedToken } from '../../src/domain/access-token.js'
import { ServiceError } from '../../src/errors.js'
import { createTokenSigner, type TokenSigner } from '../../src/services/token-signer.js'

const secret = 'kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ'
const key = new TextEncoder().encode(secret)
const roomy = { maxEntries: 1000, maxBytes: 10_000_000 }
const noKeys = { signer: () => undefined, verifier: async () => undefined, onChange() {} }
const newSigner = (memory = roomy) => createTokenSigner({ secret, keyRing: noKeys, memory })

const claims = buildClaims({
  type: 'access',
  issuer: 'https://id.example.com',
  user: { id: 7, login: 'ada', email: 'ada@sample.org' },
  apiKey: '7key',
  lifetime: 600,
  issuedAt: 1_700_000_000,
  id: 'jti-1',
})

const base64url = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

/** A token signed by hand, whatever its header says. */
function handmade(header: unknown, payload: string, hash = 'sha256', by = secret): string {
  const input = `${base64url(header)}.${payload}`
  return `${input}.${createHmac(hash, by).update(input).digest('base64url')}`
}

test('what is signed is a JWT to any verifier', async (t) => {
  const token = await newSigner().sign(claims, 'JWT')
  t.deepEqual(decodeProtectedHeader(token), { typ: 'JWT', alg: 'HS256' })
  const { payload } = await jwtVerify(token, key, {
    algorithms: ['HS256'],
    issuer: 'https://id.example.com',
    subject: '7',
    typ: 'JWT',
    currentDate: new Date(1_700_000_001_000),
  })
  t.deepEqual(payload, claims as never)
  const other = await newSigner().sign(claims, 'at+jwt')
  t.deepEqual(decodeProtectedHeader(other), { typ: 'at+jwt', alg: 'HS256' })
})

test('what any signer signs with the secret is verified', async (t) => {
  const token = await new CompactSign(Buffer.from(JSON.stringify(claims)))
    .setProtectedHeader({ alg: 'HS256', typ: 'jwt' })
    .sign(key)
  t.like(await newSigner().verify(token), { userId: 7, login: 'ada', apiKey: '7key' })
})

async function refuses(token: string): Promise<boolean> {
  const signer = newSigner()
  try {
    await signer.verify(token)
    return false
  } catch (error) {
    if (!(error instanceof ServiceError)) throw error
    return error.code === 'rest_authentication_token_error' && signer.recall(token) === undefined
  }
}

const payload = base64url(claims)
/** By another hand; and as we write it, which is verified on a shorter way. */
const good = handmade({ alg: 'HS256' }, payload)
const ours = handmade({ typ: 'JWT', alg: 'HS256' }, payload)
const [head = '', body = '', signature = ''] = good.split('.')
const [ourHead = '', , ourSignature = ''] = ours.split('.')

const forged: Record<string, string> = {
  'of algorithm none': `${base64url({ alg: 'none' })}.${payload}.`,
  'of algorithm none, signed': handmade({ alg: 'none' }, payload),
  'of algorithm NONE': handmade({ alg: 'NONE' }, payload),
  'of HS384 with the same secret': handmade({ alg: 'HS384' }, payload, 'sha384'),
  'of HS512 with the same secret': handmade({ alg: 'HS512' }, payload, 'sha512'),
  'whose header claims RS256': handmade({ alg: 'RS256' }, payload),
  'whose header claims hs256': handmade({ alg: 'hs256' }, payload),
  'without algorithm': handmade({ typ: 'JWT' }, payload),
  'with a list of algorithms': handmade({ alg: ['HS256'] }, payload),
  'whose header is a list': handmade([{ alg: 'HS256' }], payload),
  'by another secret': handmade({ alg: 'HS256' }, payload, 'sha256', `${secret}!`),
  'by the secret and a line end': handmade({ alg: 'HS256' }, payload, 'sha256', `${secret}\n`),
  'by an empty secret': handmade({ alg: 'HS256' }, payload, 'sha256', ''),
  'with a critical extension': handmade({ alg: 'HS256', crit: ['exp'], exp: 1 }, payload),
  'with an unencoded payload': handmade({ alg: 'HS256', crit: ['b64'], b64: false }, payload),
  'of ours by another secret': handmade({ typ: 'JWT', alg: 'HS256' }, payload, 'sha256', 'other'),
  'of ours with half a signature': `${ourHead}.${body}.${ourSignature.slice(0, 21)}`,
  'of ours with a longer signature': `${ours}AAAA`,
  'of ours with another’s signature': `${ourHead}.${body}.${signature}`,
  'of ours whose payload is a list': handmade({ typ: 'JWT', alg: 'HS256' }, base64url([claims])),
  'of ours whose payload is no JSON': handmade({ typ: 'JWT', alg: 'HS256' }, 'AAAA'),
  'without signature': `${head}.${body}.`,
  'of two parts': `${head}.${body}`,
  'of four parts': `${good}.x`,
  'of five parts': `${good}.x.y`,
  'with padding': `${good}=`,
  'with a space before': ` ${good}`,
  'with a line end': `${good}\n`,
  'with white space in the payload': `${head}.${body.slice(0, 8)} ${body.slice(8)}.${signature}`,
  'with the other base64 alphabet': `${head}.${body}.+${signature.slice(1)}`,
  'that is empty': '',
  'that is no token': 'not-a-token',
  'of another type': handmade({ typ: 'dpop+jwt', alg: 'HS256' }, payload),
  'of no known type': handmade({ typ: ['JWT'], alg: 'HS256' }, payload),
  'whose payload is no JSON': handmade({ alg: 'HS256' }, Buffer.from('{').toString('base64url')),
  'whose payload is no UTF-8': handmade(
    { alg: 'HS256' },
    Buffer.from('{"a":"\xff"}', 'latin1').toString('base64url'),
  ),
  'whose payload is a list': handmade({ alg: 'HS256' }, base64url([claims])),
  'whose payload is null': handmade({ alg: 'HS256' }, base64url(null)),
  'whose payload is text': handmade({ alg: 'HS256' }, base64url('claims')),
  'whose expiry is text': handmade({ alg: 'HS256' }, base64url({ ...claims, exp: '1800000000' })),
  'that is too long': handmade({ alg: 'HS256' }, base64url({ ...claims, more: 'x'.repeat(8192) })),
}
for (const [what, token] of Object.entries(forged)) {
  test(`a token ${what} is refused, and not remembered`, async (t) => t.true(await refuses(token)))
}

test('the tokens that the forged ones are made from are good', async (t) => {
  t.false(await refuses(good))
  t.false(await refuses(ours))
  t.deepEqual(await newSigner().verify(good), await newSigner().verify(ours))
  t.is(await newSigner().sign(claims, 'JWT'), ours)
})

test('a change of any character is found', async (t) => {
  for (const token of [good, ours]) {
    for (let i = 0; i < token.length; i++) {
      const changed = token.slice(0, i) + (token[i] === 'A' ? 'B' : 'A') + token.slice(i + 1)
      t.true(await refuses(changed), `at ${i}`)
    }
  }
})

/** A token may be remembered only when it comes again. */
async function verifyOften(signer: TokenSigner, token: string): Promise<PresentedToken> {
  await signer.verify(token)
  return signer.verify(token)
}

test('a token in use is remembered as it was presented, and nothing else is', async (t) => {
  const signer = newSigner()
  t.is(signer.recall(good), undefined)
  const presented = await verifyOften(signer, good)
  t.is(signer.recall(good), presented)
  t.is(signer.recall(`${good} `), undefined)
  t.is(signer.recall(good.slice(0, -1)), undefined)
  t.is(newSigner().recall(good), undefined)
})

test('the memory is bounded by entries and by size, and forgets the least used', async (t) => {
  const tokens = Array.from({ length: 4 }, (_, i) =>
    handmade({ alg: 'HS256' }, base64url({ ...claims, jti: String(i) })),
  )
  const [first = '', second = '', third = '', fourth = ''] = tokens
  const byEntries = newSigner({ maxEntries: 2, maxBytes: 10_000_000 })
  await verifyOften(byEntries, first)
  await verifyOften(byEntries, second)
  t.not(byEntries.recall(first), undefined)
  await verifyOften(byEntries, third)
  t.deepEqual(
    [first, second, third].map((token) => byEntries.recall(token) !== undefined),
    [true, false, true],
  )
  const bySize = newSigner({ maxEntries: 1000, maxBytes: 2 * (first.length + 600) })
  for (const token of [first, second, third, fourth]) await verifyOften(bySize, token)
  t.deepEqual(
    tokens.map((token) => bySize.recall(token) !== undefined),
    [false, false, true, true],
  )
})

test('garbage pushes nothing out of the memory', async (t) => {
  const signer = newSigner({ maxEntries: 1, maxBytes: 10_000 })
  await verifyOften(signer, good)
  for (let i = 0; i < 50; i++) {
    await t.throwsAsync(signer.verify(`${head}.${body}.${i}`), { instanceOf: ServiceError })
  }
  t.not(signer.recall(good), undefined)
})
