/** Where OAuth's clients find what they know of, below the service's own address. */
export const oauthPaths = {
  token: '/oauth2/token',
  introspect: '/oauth2/introspect',
  revoke: '/oauth2/revoke',
} as const
