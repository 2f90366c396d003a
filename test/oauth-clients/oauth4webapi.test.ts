import * as oauth from 'oauth4webapi'
import { keyAlgorithms } from '../../src/domain/signing-key.js'
import { onEachDatabase } from '../helpers/with-service.js'
import { signWith } from './with-signing-key.js'

const insecure = { [oauth.allowInsecureRequests]: true }

onEachDatabase(
  'oauth4webapi finds the issuer of a resource, gets a token there, and accepts it',
  async (t, service) => {
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const url = new URL(service.url)
    const resource = await oauth.processResourceDiscoveryResponse(
      url,
      await oauth.resourceDiscoveryRequest(url, insecure),
    )
    const issuer = new URL(resource.authorization_servers?.[0] ?? '')
    const application = { client_id: pair.api_key }
    for (const algorithm of keyAlgorithms) {
      await signWith(service, algorithm)
      // It keeps a server's keys for a minute; with the metadata it forgets them.
      const server = await oauth.processDiscoveryResponse(
        issuer,
        await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
      )
      const { access_token } = await oauth.processClientCredentialsResponse(
        server,
        application,
        await oauth.clientCredentialsGrantRequest(
          server,
          application,
          oauth.ClientSecretBasic(pair.api_secret),
          new URLSearchParams({ resource: resource.resource }),
          insecure,
        ),
      )
      const request = new Request('https://orders.example.com/', {
        headers: { Authorization: `Bearer ${access_token}` },
      })
      const claims = await oauth.validateJwtAccessToken(server, request, service.url, insecure)
      t.like(claims, {
        iss: service.url,
        aud: service.url,
        sub: String(user.id),
        client_id: pair.api_key,
      })
      const data = claims.data as { user: { api_key: string } }
      t.is(data.user.api_key, pair.api_key, algorithm)
      await t.throwsAsync(
        oauth.validateJwtAccessToken(server, request, 'https://elsewhere.example.com', insecure),
      )
    }
  },
)

onEachDatabase(
  'oauth4webapi takes neither a refresh token nor a WordPress token for an access token of OAuth',
  async (t, service) => {
    await signWith(service, 'ES256')
    const user = await service.createUser('ada')
    const tokens = await service.exchange(await service.mint(user.id))
    const issuer = new URL(service.url)
    const server = await oauth.processDiscoveryResponse(
      issuer,
      await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
    )
    for (const token of [tokens.access_token, tokens.refresh_token]) {
      const request = new Request('https://orders.example.com/', {
        headers: { Authorization: `Bearer ${token}` },
      })
      await t.throwsAsync(oauth.validateJwtAccessToken(server, request, service.url, insecure))
    }
  },
)
