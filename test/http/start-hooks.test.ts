import test from 'ava'
import pino from 'pino'
import { ConfigError, loadConfig } from '../../src/config.js'
import { eventNames, type Extensions } from '../../src/hooks.js'
import { createRuntime } from '../../src/runtime.js'
import { onEachDatabase } from '../helpers/with-service.js'

onEachDatabase(
  'corsAllowHeaders says what pages of other origins may send',
  async (t, service) => {
    const response = await service.fetch('/wp-json/wp/v2/token', {
      method: 'OPTIONS',
      headers: {
        Origin: 'https://app.example.com',
        'Access-Control-Request-Method': 'POST',
        'Access-Control-Request-Headers': 'X-Request-Id',
      },
    })
    t.is(
      response.headers.get('Access-Control-Allow-Headers'),
      'Authorization,X-WP-Nonce,X-HTTP-Method-Override,Content-Type,X-Request-Id',
    )
  },
  { CORS_ORIGINS: 'https://app.example.com' },
  { hooks: { corsAllowHeaders: async (names) => `${names.join(', ')}, X-Request-Id` } },
)

onEachDatabase(
  'tokenSchema and keyPairSchema change what OPTIONS shows',
  async (t, service) => {
    const options = async (path: string) => (await service.json(path, { method: 'OPTIONS' })).body
    const token = await options('/wp-json/wp/v2/token')
    t.is(token.schema.$schema, 'http://json-schema.org/draft-04/schema#')
    t.is(token.schema.title, 'Our token')
    t.is(token.schema.properties.access_token.type, 'string')
    t.is(token.endpoints[0].methods[0], 'POST')
    for (const path of ['/wp-json/wp/v2/key-pair/1', '/wp-json/wp/v2/key-pair/1/abc']) {
      const { schema } = await options(path)
      t.is(schema.title, 'key-pair')
      t.is(schema.properties.shop.type, 'string')
      t.is(schema.properties.api_key.type, 'string')
    }
    t.is((await options('/wp-json/wp/v2/token/validate')).schema, undefined)
  },
  {},
  {
    hooks: {
      tokenSchema: async (schema) => ({ ...schema, title: 'Our token' }),
      rest_authentication_key_pair_schema: (schema) => ({
        ...schema,
        properties: { ...(schema.properties as object), shop: { type: 'string' } },
      }),
    },
  },
)

const logger = pino({ level: 'silent' })

function start(extensions: Extensions) {
  const config = loadConfig({
    DATABASE_URL: 'sqlite::memory:',
    JWT_SECRET: 'zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQkT5-Wq0',
  })
  return createRuntime(config, { logger, migrate: true, ...extensions })
}

test('what is wrong with the extensions is all said, and stops the start', async (t) => {
  const error = await t.throwsAsync(
    start({
      hooks: {
        tokenExpire: () => 5,
        tokenExpires: 5,
        validateToken: () => undefined,
        rest_authentication_validate_token: () => undefined,
      },
      actions: { keyPairBorn: () => {}, keyPairMinted: 'x' },
      hookTimeoutMs: 0,
      forwardAuth: { publicPaths: ['health', 'GET /x'], uri: 'x', methodFrom: 'a b' },
    } as unknown as Extensions),
    { instanceOf: ConfigError },
  )
  t.is(
    error.message,
    [
      'The configuration is not valid:',
      '  - hooks.tokenExpire is no hook; docs/hooks.md lists them',
      '  - hooks.tokenExpires must be a function',
      '  - hooks.validateToken and hooks.rest_authentication_validate_token are one',
      `  - actions.keyPairBorn is unknown; there are ${eventNames.join(', ')}`,
      '  - actions.keyPairMinted must be a function',
      '  - hookTimeoutMs must be an integer from 1 to 60000',
      '  - forwardAuth.uri is unknown; there are publicPaths, uriFrom, methodFrom',
      '  - forwardAuth.publicPaths must be paths such as "/public/*" or "GET /news", got "health"',
      '  - forwardAuth.methodFrom must be the name of a header, or "request"',
      '  - forwardAuth.uriFrom must say where your proxy gives the path',
    ].join('\n'),
  )
})

test('a hook that is asked at start and fails stops the start', async (t) => {
  for (const hooks of [
    { jwtAuthIssuer: () => '' },
    { authorizationHeader: () => 'not a header' },
    { corsAllowHeaders: () => ['a b'] },
    { jwt_auth_iss: async () => Promise.reject(new Error('no')) },
  ]) {
    await t.throwsAsync(start({ hooks }), {
      instanceOf: ConfigError,
      message: /hooks\.(jwtAuthIssuer|authorizationHeader|corsAllowHeaders) failed at start: /,
    })
  }
})
