/**
 * Twinkey itself, from the build, with everything on at its defaults. Seeds the database first:
 * `argv[2]` is JSON of {@link Seed}.
 */
import { createServer } from 'node:http'
import { tmpdir } from 'node:os'
import Router from '@koa/router'
import Koa from 'koa'
import pino from 'pino'
import { loadConfig } from '../../src/config.js'
import { operator } from '../../src/domain/actor.js'
import type { KeyAlgorithm } from '../../src/domain/signing-key.js'
import { requireToken } from '../../src/http/guards/require-token.js'
import { createRuntime } from '../../src/runtime.js'
import { addKeyPairs, fillKeyPairs } from './fill.js'
import { report } from './harness.js'

export interface Seed {
  databaseUrl: string
  /** Key-pairs in the table beside those in use, each a hundred of one user. */
  keyPairs: number
  /** Key-pairs that the load uses, all of them of one user. */
  used: number
  /** Key-pairs of that user that the load does not use. */
  idleOfUser?: number
  /** Share of the tokens whose key-pair is revoked. */
  revoked?: number
  tokensPerKey?: number
  /** What signs the tokens; the secret, unless it says otherwise. */
  algorithm?: KeyAlgorithm
}

const seed = JSON.parse(process.argv[2] ?? '{}') as Seed
const config = loadConfig({
  DATABASE_URL: seed.databaseUrl,
  JWT_SECRET: 'bench-kT5Wq0zR8yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ',
  PUBLIC_URL: 'http://127.0.0.1',
  KEY_ENCRYPTION_KEY: 'be'.repeat(32),
  DATA_DIR: tmpdir(),
})
const logger = pino({ level: config.logLevel }, pino.destination('/dev/null'))
const runtime = await createRuntime(config, { logger, migrate: true })
const { db, services } = runtime
if (seed.algorithm) {
  await services.signingKeys.rotate(seed.algorithm)
  // Without the seconds in which other nodes would have to hear of it.
  await db('signing_keys').update({ activated_at: 0 })
  await services.keyRing.reload()
}
await fillKeyPairs(db, seed.keyPairs)
const login = `load${Date.now()}`
const password = 'a password for the load'
const user = await services.users.create({
  login,
  email: `${login}@example.com`,
  password,
  role: 'subscriber',
})
await addKeyPairs(db, user.id, seed.idleOfUser ?? 0)
const pairs = []
const tokens: string[] = []
const refreshTokens: string[] = []
for (let i = 0; i < seed.used; i++) {
  const { keyPair, apiSecret } = await services.keyPairs.mint(operator, user.id, `Load ${i}`)
  pairs.push({ api_key: keyPair.apiKey, api_secret: apiSecret })
  for (let j = 0; j < (seed.tokensPerKey ?? 1); j++) {
    const issued = await services.tokens.exchange(keyPair.apiKey, apiSecret, { ip: null })
    tokens.push(issued.accessToken)
    if (issued.refreshToken !== undefined) refreshTokens.push(issued.refreshToken)
  }
  if (i < seed.used * (seed.revoked ?? 0))
    await services.keyPairs.revoke(operator, user.id, keyPair.apiKey)
}
const session = await services.sessions.logIn(login, password, { ip: null, userAgent: null })
/** Somebody's own API behind the middleware, on the same server. */
const api = new Koa()
  .use(requireToken(services))
  .use(
    new Router()
      .get('/api/hello', (ctx) => {
        ctx.body = { hello: ctx.state.user.login }
      })
      .routes(),
  )
  .callback()

let queries = 0
db.on('query', () => {
  queries++
})
report(
  createServer((request, response) => {
    if (request.url === '/api/hello') void api(request, response)
    else runtime.listener(request, response)
  }),
  { pairs, tokens, refreshTokens, session: session.token },
  // The state read does not go through knex, and is counted by its reader.
  () => queries + services.keyStates.reads(),
)
