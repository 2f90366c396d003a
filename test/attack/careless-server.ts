import {
  createHmac,
  createPublicKey,
  generateKeyPairSync,
  type JsonWebKey,
  verify as verifySignature,
} from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { type Json, keyToken, take } from '../../attack/forge.js'

/** What the careless do, one at a time; without any it is sound, as far as it goes. */
export type Flaw =
  | 'takes "none" for an algorithm'
  | 'compares with an empty signature'
  | 'verifies nothing'
  | 'lets the header choose the algorithm'
  | 'uses the key in the header'
  | 'fetches the key that the header names'
  | 'reads the secret from the file that the key id names'
  | 'forgives base64'
  | 'lets refresh tokens in'
  | 'reflects origins'
  | 'believes X-Forwarded-Host'
  | 'lets answers be kept'
  | 'mints for whoever asks'
  | 'reads key-pairs from the query'
  | 'redirects anywhere'
  | 'fails at bad JSON'
  | 'never answers bad JSON'
  | 'believes X-Auth-User-Id'

export const pair = { api_key: '1careless', api_secret: 'careless-secret' }

/** A service with the addresses of ours, and one of the flaws that the attacks look for. */
export async function startCareless(flaw?: Flaw) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const jwk = { ...publicKey.export({ format: 'jwk' }), kid: 'careless', alg: 'RS256' }
  const pem = String(publicKey.export({ type: 'spki', format: 'pem' }))
  const has = (name: Flaw) => flaw === name
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  function issue(kind: 'access' | 'refresh'): string {
    const user = { id: 1, api_key: pair.api_key, ...(kind === 'refresh' && { token_type: kind }) }
    const claims = { iss: url, exp: 4_000_000_000, sub: '1', data: { user } }
    return keyToken({ typ: 'JWT', alg: 'RS256', kid: 'careless' }, claims, privateKey)
  }

  function byKey(input: string, signature: string, key: JsonWebKey | typeof publicKey): boolean {
    const isOwn = key === publicKey
    const object = isOwn ? publicKey : createPublicKey({ key: key as JsonWebKey, format: 'jwk' })
    const hash = object.asymmetricKeyType === 'ed25519' ? null : 'sha256'
    const bytes = Buffer.from(signature, 'base64url')
    return verifySignature(
      hash,
      Buffer.from(input),
      { key: object, dsaEncoding: 'ieee-p1363' },
      bytes,
    )
  }

  async function isSigned(head: Json, input: string, signature: string): Promise<boolean> {
    const alg = String(head.alg)
    if (has('verifies nothing')) return true
    if (has('takes "none" for an algorithm') && alg.toLowerCase() === 'none') return true
    if (has('compares with an empty signature') && !/^[HR]S\d/.test(alg)) return signature === ''
    const isHmac = alg === 'HS256'
    const hmac = (secret: string) =>
      createHmac('sha256', secret).update(input).digest('base64url') === signature
    if (has('lets the header choose the algorithm') && isHmac) return hmac(pem)
    if (has('reads the secret from the file that the key id names') && isHmac) {
      const path = String(head.kid).replace(/^(?:\.\.\/)+/, '/')
      return existsSync(path) && hmac(readFileSync(path, 'utf8'))
    }
    if (has('uses the key in the header') && typeof head.jwk === 'object') {
      return byKey(input, signature, head.jwk as JsonWebKey)
    }
    if (has('fetches the key that the header names') && typeof head.jku === 'string') {
      await fetch(head.jku)
    }
    return alg === 'RS256' && byKey(input, signature, publicKey)
  }

  async function judge(token: string, isBearer: boolean): Promise<boolean> {
    const pattern = has('forgives base64') ? /^[^.]+\.[^.]+\.[^.]*$/ : /^[\w-]+\.[\w-]+\.[\w-]*$/
    if (!pattern.test(token)) return false
    try {
      const { head, claims, header, payload, signature } = take(token)
      const isExact = Buffer.from(signature, 'base64url').toString('base64url') === signature
      if (!isExact && !has('forgives base64')) return false
      const isRefresh = JSON.stringify(claims.data).includes('refresh')
      if (isBearer && isRefresh && !has('lets refresh tokens in')) return false
      return await isSigned(head, `${header}.${payload}`, signature)
    } catch {
      // Whatever cannot be read is no token.
      return false
    }
  }

  async function answer(
    request: IncomingMessage,
    body: string,
  ): Promise<[number, object | string]> {
    const { url: asked = '' } = request
    if (!URL.canParse(asked, url)) return [400, {}]
    const { pathname, searchParams } = new URL(asked, url)
    const fields = new URLSearchParams(body)
    const token = /^Bearer (.*)$/.exec(request.headers.authorization ?? '')?.[1] ?? ''
    switch (pathname) {
      case '/healthz':
        return [200, {}]
      case '/wp-json/':
        return [
          200,
          { url: has('believes X-Forwarded-Host') ? request.headers['x-forwarded-host'] : url },
        ]
      case '/.well-known/jwks.json':
        return [200, { keys: [jwk] }]
      case '/login':
        return [
          200,
          `<input name="next" value="${has('redirects anywhere') ? searchParams.get('next') : '/profile'}">`,
        ]
      case '/wp-json/wp/v2/token': {
        const type = request.headers['content-type']
        if (type === 'application/json') {
          if (has('never answers bad JSON')) return new Promise(() => {})
          return [has('fails at bad JSON') ? 500 : 400, {}]
        }
        const isForm = type === 'application/x-www-form-urlencoded' && !fields.has('grant_type')
        const isQuery = has('reads key-pairs from the query') && searchParams.has('api_key')
        const given = isQuery ? searchParams : fields
        const isGiven = (name: keyof typeof pair) =>
          given.getAll(name).length === 1 && given.get(name) === pair[name]
        const isRight = (isForm || isQuery) && isGiven('api_key') && isGiven('api_secret')
        if (!isRight) return [403, {}]
        const tokens = { access_token: issue('access'), refresh_token: issue('refresh') }
        return [200, { ...tokens, data: { user: { id: 1 } } }]
      }
      case '/wp-json/wp/v2/token/validate':
        return [(await judge(token, false)) ? 200 : 403, {}]
      case '/wp-json/wp/v2/users/me':
        return [(await judge(token, true)) ? 200 : 401, {}]
      case '/forward-auth': {
        const isMade = has('believes X-Auth-User-Id') && 'x-auth-user-id' in request.headers
        return [isMade || (await judge(token, true)) ? 204 : 401, {}]
      }
      case '/oauth2/introspect':
        return [200, { active: await judge(fields.get('token') ?? '', false) }]
      case '/wp-json/wp/v2/key-pair/1':
        return [has('mints for whoever asks') ? 200 : 401, {}]
      default:
        return [404, {}]
    }
  }

  server.on('request', async (request, response) => {
    // Some requests are not meant to be read to their end.
    const sent = await text(request).catch(() => undefined)
    if (sent === undefined) return
    const [status, body] = await answer(request, sent)
    if (status === 204) response.setHeader('X-Auth-User-Id', '1')
    response.setHeader('Cache-Control', has('lets answers be kept') ? 'public' : 'no-store')
    if (has('reflects origins') && request.headers.origin) {
      response.setHeader('Access-Control-Allow-Origin', request.headers.origin)
    }
    response.writeHead(status).end(typeof body === 'string' ? body : JSON.stringify(body))
  })

  return {
    url,
    async close() {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}
