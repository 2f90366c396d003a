import { randomBytes } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { createLocalJWKSet, decodeProtectedHeader, type JWK, jwtVerify, SignJWT } from 'jose'
import pino from 'pino'
import { buildClaims } from '../../src/domain/access-token.js'
import { deriveAuditKey } from '../../src/domain/audit.js'
import { type KeyAlgorithm, keyAlgorithms } from '../../src/domain/signing-key.js'
import { createAuditTrail } from '../../src/services/audit/trail.js'
import { createKeyRing, type KeyRing } from '../../src/services/key-ring.js'
import {
  createSigningKeyService,
  type EncryptionKey,
  SigningKeyError,
} from '../../src/services/signing-keys.js'
import { createTokenSigner, type TokenSigner } from '../../src/services/token-signer.js'
import { type MigratedStoreTest, onEachStore } from '../helpers/with-stores.js'

const secret = 'kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ'
const memory = { maxEntries: 1000, maxBytes: 10_000_000 }
const encryption = randomBytes(32)
const claims = buildClaims({
  type: 'access',
  issuer: 'https://id.example.com',
  user: { id: 7, login: 'ada', email: 'ada@sample.org' },
  apiKey: '7key',
  lifetime: 600,
  issuedAt: 1_700_000_000,
  id: 'jti-1',
})
const refreshClaims = {
  ...claims,
  data: { user: { ...claims.data.user, token_type: 'refresh' as const } },
}

interface Node {
  ring: KeyRing
  signer: TokenSigner
  accepts(token: string): Promise<boolean>
  algorithm(): Promise<string | undefined>
}

/** Nodes on one database, whose clock stands still until it is moved. */
function setUp(t: ExecutionContext, { stores }: MigratedStoreTest) {
  let time = 1_700_000_000
  const lines: string[] = []
  const now = () => time
  const encryptionKey: EncryptionKey = { existing: () => encryption, orNew: () => encryption }
  const audit = createAuditTrail({ stores, key: deriveAuditKey(secret), now })
  const keys = createSigningKeyService({ stores, audit, encryptionKey, now })
  return {
    keys,
    lines,
    advance(seconds: number) {
      time += seconds
    },
    /** @param pollMs So long that it never looks by itself, unless the test wants it to. */
    async startNode(pollMs = 3_600_000, own = encryptionKey): Promise<Node> {
      const logger = pino({ level: 'debug' }, { write: (line: string) => void lines.push(line) })
      const store = stores.signingKeys
      const ring = await createKeyRing({ store, encryptionKey: own, logger, now, pollMs })
      t.teardown(() => ring.close())
      const signer = createTokenSigner({ secret, keyRing: ring, memory })
      return {
        ring,
        signer,
        accepts: (token) =>
          signer.verify(token).then(
            (presented) => presented.apiKey === '7key',
            () => false,
          ),
        algorithm: async () => decodeProtectedHeader(await signer.sign(claims, 'JWT')).alg,
      }
    },
  }
}

for (const algorithm of keyAlgorithms) {
  onEachStore(
    `${algorithm}: what a key signs, its published half verifies, and all nodes accept`,
    async (t, context) => {
      const { keys, startNode, advance } = setUp(t, context)
      const [one, two] = [await startNode(), await startNode()]
      t.deepEqual(one.ring.publicKeys(), [])
      const { kid } = await keys.generate(algorithm)
      await one.ring.reload()
      const [published] = one.ring.publicKeys() as JWK[]
      t.like(published, { kid, alg: algorithm, use: 'sig' })
      for (const name of ['d', 'p', 'q', 'dp', 'dq', 'qi', 'k']) t.false(name in (published ?? {}))
      t.is(await one.algorithm(), 'HS256', 'it is published before it signs')

      advance(5)
      await keys.rotate()
      await one.ring.reload()
      const token = await one.signer.sign(claims, 'at+jwt')
      t.deepEqual(decodeProtectedHeader(token), { typ: 'at+jwt', alg: algorithm, kid })
      t.deepEqual(one.signer.recall(token), undefined)
      t.true(await one.accepts(token))
      t.true(await two.accepts(token), 'a node that has not heard of it looks')
      const jwks = createLocalJWKSet({ keys: [...one.ring.publicKeys()] })
      const { payload } = await jwtVerify(token, jwks, { currentDate: new Date(1_700_000_001_000) })
      t.deepEqual(payload, claims as never)
      const refresh = await one.signer.sign(refreshClaims, 'JWT')
      t.deepEqual(decodeProtectedHeader(refresh), { typ: 'JWT', alg: 'HS256' })
    },
  )
}

onEachStore('no token is refused while keys are rotated', async (t, context) => {
  const { keys, startNode, advance } = setUp(t, context)
  const nodes = [await startNode(), await startNode()]
  const tokens: string[] = []
  const check = async () => {
    for (const node of nodes) tokens.push(await node.signer.sign(claims, 'JWT'))
    for (const node of nodes) {
      for (const token of tokens) t.true(await node.accepts(token))
    }
  }
  await check()
  for (const algorithm of ['ES256', undefined, 'EdDSA', 'HS256', 'ES256'] as const) {
    const { current } = await keys.rotate(algorithm)
    // One of them has not looked yet, and a key that was made just now waits for it.
    await nodes[0]?.ring.reload()
    await check()
    const signs = decodeProtectedHeader(tokens.at(-2) ?? '').kid
    t.not(signs, current?.kid ?? 'none')
    for (const { ring } of nodes) await ring.reload()
    advance(5)
    await check()
    t.is(decodeProtectedHeader(tokens.at(-1) ?? '').kid, current?.kid)
  }
  const states = (await keys.list()).map(({ algorithm, state }) => `${algorithm} ${state}`)
  t.deepEqual(states, ['ES256 previous', 'ES256 previous', 'EdDSA previous', 'ES256 current'])
})

onEachStore('a retired key’s tokens are refused, remembered or not', async (t, context) => {
  const { keys, startNode, advance } = setUp(t, context)
  const node = await startNode()
  const bySecret = await node.signer.sign(claims, 'JWT')
  const { current: first } = await keys.rotate('ES256')
  const kid = first?.kid ?? ''
  advance(5)
  await node.ring.reload()
  const byKey = await node.signer.sign(claims, 'JWT')
  for (let i = 0; i < 3; i++) t.true(await node.accepts(byKey))
  t.truthy(node.signer.recall(byKey))
  await t.throwsAsync(keys.retire(kid), { instanceOf: SigningKeyError }, 'it signs')

  await keys.rotate()
  await node.ring.reload()
  t.true(await node.accepts(byKey))
  for (let i = 0; i < 3; i++) await node.accepts(byKey)
  await keys.retire(kid)
  await node.ring.reload()
  t.is(node.signer.recall(byKey), undefined, 'what was remembered is forgotten')
  t.false(await node.accepts(byKey))
  t.true(await node.accepts(bySecret), 'the secret’s tokens are no key’s business')
  t.false(node.ring.publicKeys().some((jwk) => jwk.kid === kid))
  const stored = await context.stores.signingKeys.find(kid)
  t.is(stored?.privateKey, '', 'nobody can sign with it any more')
  await t.throwsAsync(keys.retire(kid), { message: /retired before/ })
  await t.throwsAsync(keys.retire('x'), { message: /no signing key x/ })
})

onEachStore('a node follows by itself', async (t, context) => {
  const { keys, startNode, advance } = setUp(t, context)
  const node = await startNode(20)
  const reaches = async (condition: () => boolean | Promise<boolean>) => {
    const deadline = Date.now() + 10_000
    while (!(await condition())) {
      if (Date.now() > deadline) return false
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return true
  }
  const { current } = await keys.rotate('ES256')
  advance(5)
  t.true(await reaches(async () => (await node.algorithm()) === 'ES256'))
  const token = await node.signer.sign(claims, 'JWT')
  await keys.rotate('HS256')
  t.true(await reaches(async () => (await node.algorithm()) === 'HS256'))
  t.true(await node.accepts(token))
  await keys.retire(current?.kid ?? '')
  t.true(await reaches(async () => !(await node.accepts(token))))
})

onEachStore('the algorithm is the key’s, whatever the header says', async (t, context) => {
  const { keys, startNode, advance } = setUp(t, context)
  const { current } = await keys.rotate('RS256')
  advance(5)
  const node = await startNode()
  const [jwk] = node.ring.publicKeys()
  const kid = current?.kid ?? ''
  const payload = claims as never
  const bytes = new TextEncoder()
  t.true(await node.accepts(await node.signer.sign(claims, 'JWT')))
  // The public key, which everybody has, as if it were the secret of an HMAC.
  for (const text of [JSON.stringify(jwk), String(jwk?.n)]) {
    for (const alg of ['HS256', 'HS512']) {
      const key = bytes.encode(text.padEnd(64, ' '))
      t.false(
        await node.accepts(await new SignJWT(payload).setProtectedHeader({ alg, kid }).sign(key)),
      )
    }
  }
  // The secret itself, under the key's name, and the other way round.
  const bySecret = new SignJWT(payload).setProtectedHeader({ alg: 'HS256', kid })
  t.false(await node.accepts(await bySecret.sign(bytes.encode(secret))))
  for (const other of ['x', '', '../../dev/null', `${kid}'`, 'a'.repeat(43), 7, null, {}]) {
    const header = { alg: 'HS256', kid: other as string }
    const token = new SignJWT(payload).setProtectedHeader(header)
    t.false(await node.accepts(await token.sign(bytes.encode(secret))), `kid ${String(other)}`)
  }
  const [header = '', body = '', signature = ''] = (await node.signer.sign(claims, 'JWT')).split(
    '.',
  )
  for (const change of [{ alg: 'none' }, { alg: 'PS256' }, { alg: 'ES256' }, { kid: undefined }]) {
    const parsed = JSON.parse(Buffer.from(header, 'base64url').toString())
    const changed = Buffer.from(JSON.stringify({ ...parsed, ...change })).toString('base64url')
    t.false(await node.accepts(`${changed}.${body}.${signature}`), JSON.stringify(change))
  }
})

onEachStore('ever new key ids are looked for once a second at most', async (t, context) => {
  const { keys, startNode } = setUp(t, context)
  await keys.rotate('ES256')
  const node = await startNode()
  let queries = 0
  context.db.on('query', () => queries++)
  const garbage = await Promise.all(
    Array.from({ length: 200 }, (_, i) =>
      new SignJWT(claims as never)
        .setProtectedHeader({ alg: 'HS256', kid: String(i).padStart(43, 'k') })
        .sign(new TextEncoder().encode(secret)),
    ),
  )
  for (const token of garbage) t.false(await node.accepts(token))
  t.true(queries <= 3, `${queries} queries`)
})

onEachStore('private keys are of no use to whoever reads the database', async (t, context) => {
  const { keys, startNode, lines, advance } = setUp(t, context)
  const { current } = await keys.rotate('ES256')
  advance(5)
  const stored = await context.stores.signingKeys.find(current?.kid ?? '')
  // With their quotes, which base64url never holds: ciphertext spells a bare "kty" now and then.
  t.notRegex(stored?.privateKey ?? '', /"d"|"kty"/)
  t.false(Buffer.from(stored?.privateKey ?? '', 'base64url').includes('"kty"'))
  t.true((await startNode()).ring.problem() === undefined)
  for (const other of [randomBytes(32), undefined]) {
    const own = { existing: () => other, orNew: () => randomBytes(32) }
    const node = await startNode(3_600_000, own)
    t.true(node.ring.problem() instanceof SigningKeyError)
    t.is(await node.algorithm(), 'HS256', 'it signs with what it has')
    const token = await (await startNode()).signer.sign(claims, 'JWT')
    t.true(await node.accepts(token), 'and verifies by the public half')
  }
  t.true(lines.join('').includes('cannot be decrypted'))
})

onEachStore('two operators who rotate at once leave one current key', async (t, context) => {
  const { keys } = setUp(t, context)
  const rotate = async (algorithm: KeyAlgorithm) => {
    try {
      await keys.rotate(algorithm)
      return 1
    } catch (error) {
      t.true(error instanceof SigningKeyError, String(error))
      return 0
    }
  }
  const atOnce = async () => {
    const done = await Promise.all([rotate('ES256'), rotate('ES256'), rotate('EdDSA')])
    return done.filter((one) => one === 1).length
  }
  const first = await atOnce()
  t.true(first >= 1)
  t.is(await atOnce(), 3, 'with a key to take turns at nobody is turned away')
  const states = (await keys.list()).map(({ state }) => state)
  t.is(states.filter((state) => state === 'current').length, 1)
  t.is(states.filter((state) => state === 'previous').length, first + 2)
})

onEachStore('the secret cannot be rotated to where it is', async (t, context) => {
  const { keys } = setUp(t, context)
  await t.throwsAsync(keys.rotate('HS256'), { instanceOf: SigningKeyError })
  t.deepEqual(await keys.list(), [])
})
