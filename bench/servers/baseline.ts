/**
 * The baselines: what the same JSON costs without us. `argv[2]` names which, `argv[3]` is the database
 * of those that have one.
 */
import { randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import Router from '@koa/router'
import { jwtVerify, SignJWT } from 'jose'
import Koa from 'koa'
import { koaBody } from 'koa-body'
import { loadConfig } from '../../src/config.js'
import { createStores } from '../../src/store/index.js'
import { migrate } from '../../src/store/migrate.js'
import { openDatabase } from '../../src/store/open.js'
import { report, reportListener } from './harness.js'

const answer = {
  code: 'rest_authentication_valid_access_token',
  message: 'Valid access token.',
  data: { status: 200, exp: 604_799 },
}

const kinds: Record<string, () => Promise<void> | void> = {
  'node-http'() {
    reportListener((_request, response) => {
      const body = JSON.stringify(answer)
      response.writeHead(200, {
        'Content-Type': 'application/json; charset=utf-8',
        'Content-Length': Buffer.byteLength(body),
      })
      response.end(body)
    })
  },

  'koa-router'() {
    const router = new Router()
    router.get('/wp-json/wp/v2/token/validate', (ctx) => {
      ctx.body = answer
    })
    reportListener(new Koa().use(router.routes()).callback())
  },

  'koa-body-echo'() {
    const router = new Router()
    router.post('/wp-json/wp/v2/token', koaBody({ multipart: true }), (ctx) => {
      ctx.body = ctx.request.body
    })
    reportListener(new Koa().use(router.routes()).callback())
  },

  /** What most tutorials do: the secret as bytes, verified for every request. */
  async 'jose-verify'() {
    const secret = randomBytes(48)
    const token = await new SignJWT({ data: { user: { id: 1, api_key: '1abc' } } })
      .setProtectedHeader({ typ: 'JWT', alg: 'HS256' })
      .setIssuedAt()
      .setExpirationTime('7d')
      .sign(secret)
    const router = new Router()
    router.get('/wp-json/wp/v2/token/validate', async (ctx) => {
      await jwtVerify((ctx.get('Authorization') || '').slice(7), secret)
      ctx.body = answer
    })
    reportListener(new Koa().use(router.routes()).callback(), { tokens: [token] })
  },

  /** A signature that is not looked at, and the state of the key asked for by each request alone. */
  async select() {
    const config = loadConfig({ DATABASE_URL: process.argv[3] })
    const db = openDatabase(config.database, console)
    await migrate(db)
    const stores = createStores(db)
    const router = new Router()
    let queries = 0
    router.get('/wp-json/wp/v2/token/validate', async (ctx) => {
      queries++
      await stores.keyPairs.find(1, '1Ro04xLB1S7Q4D9YOLVdqb8mx')
      ctx.body = answer
    })
    report(createServer(new Koa().use(router.routes()).callback()), {}, () => queries)
  },
}

await kinds[process.argv[2] ?? '']?.()
