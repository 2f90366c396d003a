import Router from '@koa/router'
import { offlineAccess } from '../../domain/scope.js'
import type { KeyRing } from '../../services/key-ring.js'
import { resourceMetadataPath } from '../guards/bearer-challenge.js'
import type { AppRouter, RequestState } from '../state.js'
import { oauthPaths } from './paths.js'
import { grantTypes } from './token.js'

export const serverMetadataPath = '/.well-known/oauth-authorization-server'
export const jwksPath = '/.well-known/jwks.json'
const authMethods = ['client_secret_basic', 'client_secret_post']

export interface MetadataDeps {
  keyRing: Pick<KeyRing, 'publicKeys'>
  publicUrl: string
  /** The scopes that key-pairs can have here. */
  scopes: readonly string[]
}

/** What the service says of itself, so that clients and resources need not be configured by hand. */
export function metadataRouter(deps: MetadataDeps): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })
  const documents = {
    [serverMetadataPath]: serverMetadata(deps),
    [resourceMetadataPath]: resourceMetadata(deps),
  }
  const { pathname } = new URL(deps.publicUrl)
  for (const [path, document] of Object.entries(documents)) {
    // An issuer below a path has its documents above that path (RFC 8414, section 3.1).
    const addresses = pathname === '/' ? [path] : [path, `${path}${pathname}`]
    router.get(addresses, (ctx) => {
      ctx.set(publicHeaders)
      ctx.body = document
    })
  }
  router.get(jwksPath, (ctx) => {
    ctx.set(publicHeaders)
    ctx.type = 'application/jwk-set+json'
    ctx.body = JSON.stringify({ keys: deps.keyRing.publicKeys() })
  })
  return router
}

/** Of documents that are the same for everybody, and that pages of any site may read. */
export const publicHeaders = {
  'Cache-Control': 'public, max-age=60',
  'Access-Control-Allow-Origin': '*',
}

/** @see [RFC 8414](https://www.rfc-editor.org/rfc/rfc8414.html) */
function serverMetadata({ publicUrl, scopes }: MetadataDeps) {
  return {
    issuer: publicUrl,
    token_endpoint: publicUrl + oauthPaths.token,
    token_endpoint_auth_methods_supported: authMethods,
    introspection_endpoint: publicUrl + oauthPaths.introspect,
    introspection_endpoint_auth_methods_supported: authMethods,
    revocation_endpoint: publicUrl + oauthPaths.revoke,
    revocation_endpoint_auth_methods_supported: authMethods,
    jwks_uri: publicUrl + jwksPath,
    grant_types_supported: grantTypes,
    // Required, and empty: there is no authorization endpoint to send such a type to.
    response_types_supported: [],
    scopes_supported: [...scopes, offlineAccess],
  }
}

/** @see [RFC 9728](https://www.rfc-editor.org/rfc/rfc9728.html) */
function resourceMetadata({ publicUrl, scopes }: MetadataDeps) {
  return {
    resource: publicUrl,
    resource_name: 'Twinkey',
    authorization_servers: [publicUrl],
    bearer_methods_supported: ['header'],
    scopes_supported: scopes,
  }
}
