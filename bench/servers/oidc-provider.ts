/** The peer: node-oidc-provider, in memory, issuing JWTs and introspecting opaque tokens. */
import { createSecretKey, randomBytes } from 'node:crypto'
import { createServer } from 'node:http'
import Provider from 'oidc-provider'
import { report } from './harness.js'

const issuer = 'http://127.0.0.1'
const resource = 'http://127.0.0.1/api'
const client = { api_key: 'load', api_secret: randomBytes(32).toString('hex') }
// What it would say about its development defaults is not of interest here.
console.warn = () => {}
console.info = () => {}

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: client.api_key,
      client_secret: client.api_secret,
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  features: {
    devInteractions: { enabled: false },
    clientCredentials: { enabled: true },
    introspection: { enabled: true },
    resourceIndicators: {
      enabled: true,
      getResourceServerInfo: () => ({
        scope: 'read',
        audience: resource,
        accessTokenFormat: 'jwt',
        // The same work as ours: one HMAC.
        jwt: { sign: { alg: 'HS256', key: createSecretKey(randomBytes(48)) } },
      }),
    },
  },
  ttl: { ClientCredentials: 604_800 },
})
const form = { client_id: client.api_key, client_secret: client.api_secret }
const callback = provider.callback()
report(
  createServer((request, response) => void callback(request, response)),
  {
    exchangeBody: String(
      new URLSearchParams({ ...form, grant_type: 'client_credentials', resource }),
    ),
    opaqueBody: String(new URLSearchParams({ ...form, grant_type: 'client_credentials' })),
    introspectBody: String(new URLSearchParams(form)),
  },
)
