import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import test from 'ava'
import { ConfigError, type Environment, loadConfig, readEnvironment } from '../src/config.js'

const secret = randomBytes(48).toString('base64url')
const folder = mkdtempSync(join(tmpdir(), 'twinkey-config-'))
test.after.always('remove the folder', () => rmSync(folder, { recursive: true, force: true }))

function problemsOf(env: Environment, directory?: string): readonly string[] {
  try {
    loadConfig(env, directory)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

test('an empty environment is a complete configuration', (t) => {
  t.deepEqual(loadConfig({}, '/srv/app'), {
    host: '127.0.0.1',
    port: 8080,
    publicUrl: 'http://localhost:8080',
    dataDir: '/srv/app/data',
    database: { dialect: 'sqlite', filename: '/srv/app/data/twinkey.sqlite' },
    jwtSecret: undefined,
    keyEncryptionKey: undefined,
    accessTokenTtl: 604_800,
    refreshTokenTtl: 31_536_000,
    jwtAuth: { accessTokenTtl: 600, refreshTokenTtl: 2_592_000 },
    refreshGrace: 30,
    requireDevice: false,
    tokenAudiences: ['http://localhost:8080'],
    extraClaims: [],
    tokenSources: { header: undefined, cookie: undefined, field: undefined },
    keyPairScopes: [],
    keyPairMaxLifetime: undefined,
    auditRetention: 400 * 86_400,
    requireSecondFactor: 'off',
    signatureMemory: { maxBytes: 33_554_432, maxEntries: 100_000 },
    trustProxy: 0,
    rateLimits: {
      store: 'auto',
      login: { quota: 10, window: 900 },
      loginAddress: { quota: 30, window: 900 },
      exchange: { quota: 20, window: 60 },
      exchangeAddress: { quota: 60, window: 60 },
      introspection: { quota: 600, window: 60 },
    },
    connections: { max: 10_000, headersTimeoutMs: 10_000, requestTimeoutMs: 30_000 },
    corsOrigins: [],
    securityContact: undefined,
    logLevel: 'info',
    metrics: undefined,
    migrateOnStart: false,
    shutdownDelay: 0,
  })
})

test('every variable has its effect', (t) => {
  const config = loadConfig({
    HOST: '0.0.0.0',
    PORT: '9000',
    PUBLIC_URL: 'https://id.example.com/auth/',
    DATA_DIR: '/var/lib/twinkey',
    DATABASE_URL: 'mysql://ada:pw@db.example.com/twinkey',
    DATABASE_POOL_MAX: '25',
    DATABASE_CONNECT_TIMEOUT_MS: '1001',
    DATABASE_ACQUIRE_TIMEOUT_MS: '1002',
    DATABASE_QUERY_TIMEOUT_MS: '1003',
    DATABASE_WAIT_MS: '1004',
    DATABASE_READS_PER_SECOND: '1005',
    MIGRATE_ON_START: 'true',
    SHUTDOWN_DELAY: '5',
    JWT_SECRET: secret,
    KEY_ENCRYPTION_KEY: 'ab'.repeat(32),
    ACCESS_TOKEN_TTL: '60',
    REFRESH_TOKEN_TTL: '120',
    JWT_AUTH_ACCESS_TOKEN_TTL: '61',
    JWT_AUTH_REFRESH_TOKEN_TTL: '121',
    REFRESH_GRACE: '0',
    REQUIRE_DEVICE: 'true',
    TOKEN_AUDIENCES: 'https://orders.example.com, urn:example:stock',
    SECURITY_CONTACT: 'mailto:security@example.com',
    EXTRA_CLAIMS: ' tenant, https://sample.org/roles,, tenant ',
    TOKEN_HEADER: 'X-Api-Token',
    TOKEN_COOKIE: 'token',
    TOKEN_FIELD: 'access_token',
    KEY_PAIR_SCOPES: ' read = Read everything ; orders:write=Change; ',
    KEY_PAIR_MAX_LIFETIME: '90',
    AUDIT_RETENTION: '30',
    REQUIRE_SECOND_FACTOR: 'minting',
    SIGNATURE_MEMORY_MB: '8',
    SIGNATURE_MEMORY_ENTRIES: '5000',
    TRUST_PROXY: '2',
    RATE_LIMIT_LOGIN: '5/1h',
    RATE_LIMIT_LOGIN_ADDRESS: '0',
    RATE_LIMIT_EXCHANGE: 'off',
    RATE_LIMIT_EXCHANGE_ADDRESS: '7/30s',
    RATE_LIMIT_INTROSPECTION: '100/2d',
    RATE_LIMIT_STORE: 'database',
    MAX_CONNECTIONS: '500',
    HEADERS_TIMEOUT_MS: '2000',
    REQUEST_TIMEOUT_MS: '4000',
    CORS_ORIGINS: ' https://a.example.com , http://localhost:3000/,',
    LOG_LEVEL: 'debug',
    METRICS_PORT: '9464',
    METRICS_HOST: '0.0.0.0',
    METRICS_TOKEN: 'a-token-for-metrics',
  })
  t.deepEqual(config, {
    host: '0.0.0.0',
    port: 9000,
    publicUrl: 'https://id.example.com/auth',
    dataDir: '/var/lib/twinkey',
    database: {
      dialect: 'mysql',
      hosts: [{ host: 'db.example.com', port: 3306 }],
      user: 'ada',
      password: 'pw',
      database: 'twinkey',
      ssl: undefined,
      poolMax: 25,
      connectTimeoutMs: 1001,
      acquireTimeoutMs: 1002,
      queryTimeoutMs: 1003,
      waitMs: 1004,
      readsPerSecond: 1005,
    },
    jwtSecret: secret,
    keyEncryptionKey: Buffer.alloc(32, 0xab),
    accessTokenTtl: 60,
    refreshTokenTtl: 120,
    jwtAuth: { accessTokenTtl: 61, refreshTokenTtl: 121 },
    refreshGrace: 0,
    requireDevice: true,
    tokenAudiences: ['https://orders.example.com', 'urn:example:stock'],
    extraClaims: ['tenant', 'https://sample.org/roles'],
    tokenSources: { header: 'x-api-token', cookie: 'token', field: 'access_token' },
    keyPairScopes: [
      { name: 'read', description: 'Read everything' },
      { name: 'orders:write', description: 'Change' },
    ],
    keyPairMaxLifetime: 90 * 86_400,
    auditRetention: 30 * 86_400,
    requireSecondFactor: 'minting',
    signatureMemory: { maxBytes: 8_388_608, maxEntries: 5000 },
    trustProxy: 2,
    rateLimits: {
      store: 'database',
      login: { quota: 5, window: 3600 },
      loginAddress: undefined,
      exchange: undefined,
      exchangeAddress: { quota: 7, window: 30 },
      introspection: { quota: 100, window: 172_800 },
    },
    connections: { max: 500, headersTimeoutMs: 2000, requestTimeoutMs: 4000 },
    corsOrigins: ['https://a.example.com', 'http://localhost:3000'],
    securityContact: 'mailto:security@example.com',
    logLevel: 'debug',
    metrics: { host: '0.0.0.0', port: 9464, token: 'a-token-for-metrics' },
    migrateOnStart: true,
    shutdownDelay: 5,
  })
  t.true(Object.isFrozen(config))
})

test('the public address follows the port unless it is given', (t) => {
  t.is(loadConfig({ PORT: '81' }).publicUrl, 'http://localhost:81')
})

test('an empty variable counts as unset', (t) => {
  const names = ['HOST', 'PORT', 'PUBLIC_URL', 'DATA_DIR', 'DATABASE_URL', 'DATABASE_POOL_MAX']
  names.push('MIGRATE_ON_START', 'JWT_SECRET', 'JWT_SECRET_FILE', 'ACCESS_TOKEN_TTL')
  names.push('REFRESH_TOKEN_TTL', 'SIGNATURE_MEMORY_MB', 'TRUST_PROXY', 'CORS_ORIGINS', 'LOG_LEVEL')
  names.push('KEY_ENCRYPTION_KEY', 'KEY_ENCRYPTION_KEY_FILE', 'TOKEN_AUDIENCES', 'SECURITY_CONTACT')
  names.push('RATE_LIMIT_LOGIN', 'RATE_LIMIT_INTROSPECTION', 'RATE_LIMIT_STORE')
  names.push('METRICS_PORT', 'METRICS_HOST', 'METRICS_TOKEN', 'METRICS_TOKEN_FILE')
  const empty = Object.fromEntries(names.map((name) => [name, '']))
  t.deepEqual(loadConfig(empty, '/srv/app'), loadConfig({}, '/srv/app'))
})

// Each is refused with a message that begins with the variable's name.
const refused: Record<string, readonly string[]> = {
  PORT: ['x', '-1', '65536', '80.5', '0x50', '1e3', ' 80', '٣'],
  PUBLIC_URL: ['example.com', 'ftp://example.com', 'http://', 'http://a/?b', 'http://a/#b'],
  DATABASE_POOL_MAX: ['0', '1', '1001', 'many'],
  DATABASE_QUERY_TIMEOUT_MS: ['0', '99', '5s'],
  MIGRATE_ON_START: ['yes', 'TRUE', 'on'],
  SHUTDOWN_DELAY: ['-1', '61', '5s'],
  TOKEN_AUDIENCES: ['orders', 'https://a.example#b', 'https://a.example,b c'],
  SECURITY_CONTACT: ['example.com', 'http://example.com', 'mailto:x', 'javascript:x'],
  ACCESS_TOKEN_TTL: ['0', '-5', '7d', '315360001', '99999999999'],
  KEY_PAIR_SCOPES: ['read', 'read=', '=Read', 'a b=c', 'read=a;read=b', 'offline_access=x'],
  KEY_PAIR_MAX_LIFETIME: ['-1', '36501', '30d'],
  AUDIT_RETENTION: ['-1', '36501', 'ever'],
  REQUIRE_SECOND_FACTOR: ['on', 'true', 'Minting'],
  SIGNATURE_MEMORY_MB: ['0', '4097', '32MB'],
  REFRESH_TOKEN_TTL: ['0', '1y', 'Infinity', 'NaN'],
  REQUIRE_DEVICE: ['yes', 'always'],
  REFRESH_GRACE: ['-1', '601', '30s'],
  TRUST_PROXY: ['true', 'on', '-1', '100', 'loopback', '10.0.0.0/8'],
  CORS_ORIGINS: ['example.com', 'https://a.example.com/app', '*, https://a', 'null', 'https://*.a'],
  RATE_LIMIT_LOGIN: ['10', '10/0m', '10/15y', '10 / 15m', '1/31d', 'none'],
  MAX_CONNECTIONS: ['0', '-1', 'many'],
  REQUEST_TIMEOUT_MS: ['0', '10s'],
  RATE_LIMIT_STORE: ['redis', 'Memory'],
  LOG_LEVEL: ['verbose', 'INFO', '3'],
  METRICS_PORT: ['-1', '65536', 'on'],
}
for (const [name, values] of Object.entries(refused)) {
  for (const value of values) {
    test(`${name} cannot be ${JSON.stringify(value)}`, (t) => {
      const problems = problemsOf({ [name]: value })
      t.is(problems.length, 1)
      t.true(problems[0]?.startsWith(`${name} must be `), problems[0])
      t.true(problems[0]?.endsWith(`, got "${value}"`), problems[0])
    })
  }
}

for (const [value, hops] of [
  ['off', 0],
  ['false', 0],
  ['0', 0],
  ['1', 1],
  ['12', 12],
] as const) {
  test(`TRUST_PROXY=${value} trusts ${hops} proxies`, (t) => {
    t.is(loadConfig({ TRUST_PROXY: value }).trustProxy, hops)
  })
}

test('CORS_ORIGINS is a list of origins, or everybody', (t) => {
  t.is(loadConfig({ CORS_ORIGINS: ' * ' }).corsOrigins, '*')
  t.deepEqual(loadConfig({ CORS_ORIGINS: ' , ' }).corsOrigins, [])
  t.deepEqual(loadConfig({ CORS_ORIGINS: 'https://a:8443' }).corsOrigins, ['https://a:8443'])
})

test('all problems are in one message, each once', (t) => {
  const error = t.throws<ConfigError>(
    () =>
      loadConfig({
        PORT: 'eighty',
        LOG_LEVEL: 'loud',
        ACCESS_TOKEN_TTL: '0',
        JWT_SECRET: 'short',
        DATABASE_URL: 'postgres://localhost/x',
      }),
    { instanceOf: ConfigError },
  )
  t.is(
    error.message,
    `The configuration is not valid:
  - PORT must be an integer from 0 to 65535, got "eighty"
  - ACCESS_TOKEN_TTL must be an integer from 1 to 315360000, got "0"
  - LOG_LEVEL must be one of fatal, error, warn, info, debug, trace, silent, got "loud"
  - DATABASE_URL must be sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME (several hosts: HOST:PORT,HOST:PORT)
  - JWT_SECRET must have at least 32 bytes`,
  )
})

const password = 'hunter2-is-secret'
for (const env of [
  { JWT_SECRET: password },
  { KEY_ENCRYPTION_KEY: password },
  { KEY_ENCRYPTION_KEY: password, KEY_ENCRYPTION_KEY_FILE: 'x' },
  { JWT_SECRET: `${password}${password}`, JWT_SECRET_FILE: 'x' },
  { DATABASE_URL: `postgres://ada:${password}@db/x` },
  { DATABASE_URL: `mysql://ada:${password}@db` },
  { DATABASE_URL: `mysql://ada:${password}@/x` },
  { DATABASE_URL: `mysql://ada:${password}%@db/x` },
  { DATABASE_URL: `mysql://ada:${password}?x@db/x` },
  { DATABASE_URL: `mysql://ada:1?${password}@db/x` },
  { DATABASE_URL: `mysql://ada:1#${password}@db/x` },
  { DATABASE_URL: `mysql://ada:1/${password}@db/x` },
  { DATABASE_URL: `mysql://ada:${password}@db/x?ssl=maybe` },
  { DATABASE_URL: password },
  { PUBLIC_URL: `https://ada:${password}@id.example.com` },
]) {
  test(`the message never shows the secret in ${JSON.stringify(env)}`, (t) => {
    const problems = problemsOf(env)
    t.true(problems.length > 0)
    t.false(problems.join().includes(password), problems.join())
  })
}

test('a secret must be long, and no sample', (t) => {
  t.deepEqual(problemsOf({ JWT_SECRET: secret.slice(0, 31) }), [
    'JWT_SECRET must have at least 32 bytes',
  ])
  t.deepEqual(problemsOf({ JWT_SECRET: secret.slice(0, 32) }), [])
  t.regex(problemsOf({ JWT_SECRET: 'a'.repeat(64) })[0] ?? '', /^JWT_SECRET is a well-known sample/)
  t.regex(
    problemsOf({ JWT_SECRET: 'Your-256-bit-secret-your-256-bit-secret' })[0] ?? '',
    /^JWT_SECRET is a well-known sample/,
  )
})

test('the key that encrypts keys is 32 bytes, in base64 or hexadecimal', (t) => {
  const key = randomBytes(32)
  for (const text of ['hex', 'base64', 'base64url'] as const) {
    t.deepEqual(loadConfig({ KEY_ENCRYPTION_KEY: key.toString(text) }).keyEncryptionKey, key)
  }
  for (const text of [
    'x',
    'ab'.repeat(31),
    'A'.repeat(42),
    'A'.repeat(45),
    `${'A'.repeat(43)}\n`,
  ]) {
    t.deepEqual(problemsOf({ KEY_ENCRYPTION_KEY: text }), [
      'KEY_ENCRYPTION_KEY must be 32 bytes in base64 or hexadecimal',
    ])
  }
  const path = join(folder, 'encryption-key')
  writeFileSync(path, `${key.toString('base64')}\n`)
  t.deepEqual(loadConfig({ KEY_ENCRYPTION_KEY_FILE: path }).keyEncryptionKey, key)
  writeFileSync(path, 'short')
  t.deepEqual(problemsOf({ KEY_ENCRYPTION_KEY_FILE: path }), [
    'The key in KEY_ENCRYPTION_KEY_FILE must be 32 bytes in base64 or hexadecimal',
  ])
})

test('the secret can be in a file, whose last line may end', (t) => {
  const path = join(folder, 'secret')
  writeFileSync(path, `${secret}\n`)
  t.is(loadConfig({ JWT_SECRET_FILE: path }).jwtSecret, secret)
  t.is(loadConfig({ JWT_SECRET_FILE: 'secret' }, folder).jwtSecret, secret)
  t.deepEqual(problemsOf({ JWT_SECRET_FILE: path, JWT_SECRET: secret }), [
    'JWT_SECRET and JWT_SECRET_FILE are both set: keep one of them',
  ])
})

for (const [what, content] of [
  ['empty', ''],
  ['too short', password],
  ['blank', ' '.repeat(64)],
] as const) {
  test(`a secret file that is ${what} is refused, not replaced`, (t) => {
    const path = join(folder, what.replace(' ', '-'))
    writeFileSync(path, content)
    const problems = problemsOf({ JWT_SECRET_FILE: path })
    t.deepEqual(problems, ['The secret in JWT_SECRET_FILE must have at least 32 bytes'])
  })
}

test('a secret file that is not there is a problem', (t) => {
  t.regex(problemsOf({ JWT_SECRET_FILE: '/nowhere' })[0] ?? '', /^JWT_SECRET_FILE cannot be read/)
})

test('a .env file is read, and the environment wins over it', (t) => {
  const directory = join(folder, 'with-env')
  mkdirSync(directory)
  writeFileSync(
    join(directory, '.env'),
    '# comment\nPORT=1001\nHOST="::1"\nLOG_LEVEL=debug # loud\nDATA_DIR=files\nTRUST_PROXY=1\n',
  )
  const env = readEnvironment({ PORT: '1002', LOG_LEVEL: '', TRUST_PROXY: undefined }, directory)
  const config = loadConfig(env, directory)
  t.is(config.port, 1002)
  t.is(config.host, '::1')
  t.is(config.logLevel, 'debug', 'an empty variable does not hide the file’s')
  t.is(config.trustProxy, 1)
  t.is(config.dataDir, resolve(directory, 'files'))
})

test('no .env file is no problem, one that cannot be read is', (t) => {
  const env = { PORT: '1' }
  t.is(readEnvironment(env, join(folder, 'nowhere')), env)
  const directory = join(folder, 'odd-env')
  mkdirSync(join(directory, '.env'), { recursive: true })
  t.throws(() => readEnvironment(env, directory), {
    instanceOf: ConfigError,
    message: /\.env cannot be read/,
  })
})

test('a token for metrics must be long enough, and is never shown', (t) => {
  const token = 'short-token'
  t.deepEqual(problemsOf({ METRICS_PORT: '9464', METRICS_TOKEN: token }), [
    'METRICS_TOKEN must have 16 characters or more, without spaces',
  ])
  const path = join(folder, 'metrics-token')
  writeFileSync(path, 'a-token-for-metrics\n')
  const { metrics } = loadConfig({ METRICS_PORT: '0', METRICS_TOKEN_FILE: path })
  t.deepEqual(metrics, { host: '127.0.0.1', port: 0, token: 'a-token-for-metrics' })
})
