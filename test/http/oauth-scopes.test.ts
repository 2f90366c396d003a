import { decodeJwt, SignJWT } from 'jose'
import { operator } from '../../src/domain/actor.js'
import {
  bearer,
  jwtSecret,
  onEachDatabase,
  type Pair,
  type Service,
} from '../helpers/with-service.js'

const env = { KEY_PAIR_SCOPES: 'read=Read everything;write=Change things;admin=Everything else' }

async function start(service: Service) {
  const user = await service.createUser('ada')
  const policy = { scopes: ['read', 'write'] }
  const { keyPairs } = service.runtime.services
  const minted = await keyPairs.mint(operator, user.id, 'Shop', { policy })
  const pair = { api_key: minted.keyPair.apiKey, api_secret: minted.apiSecret }
  const ask = (fields: Record<string, string>, of: Pair = pair) =>
    service.json('/oauth2/token', { fields: { ...of, ...fields } })
  return {
    user,
    pair,
    keyPairs,
    grant: (scope = '') => ask({ grant_type: 'client_credentials', scope }),
    refresh: (refresh_token: string, scope = '') =>
      ask({ grant_type: 'refresh_token', refresh_token, scope }),
  }
}

onEachDatabase(
  'a token carries the pair’s scopes, or the fewer that were asked for',
  async (t, service) => {
    const { grant } = await start(service)
    for (const [asked, given] of [
      ['', 'read write'],
      ['read', 'read'],
      ['write read', 'write read'],
      ['read read', 'read'],
      ['read offline_access', 'read offline_access'],
      ['offline_access', 'offline_access'],
    ] as const) {
      const { body } = await grant(asked)
      t.is(body.scope, given)
      t.is(decodeJwt(body.access_token).scope, given)
      t.is('refresh_token' in body, given.includes('offline_access'))
    }
    for (const asked of ['admin', 'read admin', 'READ', 'read\u00a0write', 'nothing']) {
      const { status, body } = await grant(asked)
      t.is(status, 400)
      t.is(body.error, 'invalid_scope', asked)
    }
  },
  env,
)

onEachDatabase(
  'refreshing can narrow, and never widens, not even when the pair gains scopes',
  async (t, service) => {
    const { user, pair, keyPairs, grant, refresh } = await start(service)
    const first = await grant('read offline_access')
    const token = first.body.refresh_token
    t.is((await refresh(token)).body.scope, 'read offline_access')
    const last = await refresh(token, 'read')
    t.is(last.body.scope, 'read')
    t.false('refresh_token' in last.body)
    t.is((await refresh(token, 'write')).body.error, 'invalid_scope')
    await keyPairs.change(operator, user.id, pair.api_key, { scopes: ['read', 'write', 'admin'] })
    t.is((await refresh(token)).body.scope, 'read offline_access')
    await keyPairs.change(operator, user.id, pair.api_key, { scopes: ['write'] })
    t.is((await refresh(token)).body.scope, 'offline_access')
    const { body } = await service.json('/oauth2/introspect', {
      fields: { ...pair, token: first.body.access_token },
    })
    t.is(body.scope, 'offline_access', 'what a token may do now, whatever it says')
  },
  env,
)

onEachDatabase('a token that is meant for somebody else is refused', async (t, service) => {
  const user = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(user.id))
  const claims = decodeJwt(access_token)
  const answer = async (aud: unknown) => {
    const token = await new SignJWT({ ...claims, aud: aud as string })
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(new TextEncoder().encode(jwtSecret))
    const { body } = await service.json('/wp/v2/token/validate', { headers: bearer(token) })
    return body.code
  }
  for (const aud of [undefined, service.url, [service.url], ['https://a.example', service.url]]) {
    t.is(await answer(aud), 'rest_authentication_valid_access_token', JSON.stringify(aud))
  }
  const others = [
    'https://a.example',
    [],
    [['x']],
    '',
    `${service.url}/`,
    7,
    null,
    {},
    [service.url, 7],
  ]
  for (const aud of others) {
    t.is(await answer(aud), 'rest_authentication_invalid_token_audience', JSON.stringify(aud))
  }
})
