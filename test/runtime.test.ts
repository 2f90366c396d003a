import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import pino from 'pino'
import { ConfigError, type Environment, loadConfig } from '../src/config.js'
import { operator } from '../src/domain/actor.js'
import { createRuntime, SchemaError } from '../src/runtime.js'
import { migrate } from '../src/store/migrate.js'
import { dialects } from './helpers/dialects.js'
import { freePort } from './helpers/mariadb-server.js'
import { spawnService } from './helpers/spawn-service.js'
import { onEachEmptyDatabase } from './helpers/with-stores.js'

const logger = pino({ level: 'silent' })

const folders: string[] = []
function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-runtime-'))
  folders.push(folder)
  return folder
}
test.after.always('remove the folders', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

async function startOnce(env: Environment): Promise<void> {
  const runtime = await createRuntime(loadConfig(env), { logger, migrate: true })
  await runtime.close()
}

const inMemory = { DATABASE_URL: 'sqlite::memory:' }

test('the secret is made on first start, for its owner only, and kept', async (t) => {
  const DATA_DIR = join(newFolder(), 'a', 'b')
  const path = join(DATA_DIR, 'jwt-secret')
  await startOnce({ ...inMemory, DATA_DIR })
  const secret = readFileSync(path, 'utf8')
  t.regex(secret, /^[\w-]{64}\n$/)
  t.is(statSync(path).mode & 0o777, 0o600)
  t.is(statSync(DATA_DIR).mode & 0o777, 0o700)
  await startOnce({ ...inMemory, DATA_DIR })
  t.is(readFileSync(path, 'utf8'), secret)
  t.deepEqual(readdirSync(DATA_DIR), ['jwt-secret'])
})

test('a secret that is configured leaves no other on the disk', async (t) => {
  const DATA_DIR = newFolder()
  await startOnce({ ...inMemory, DATA_DIR, JWT_SECRET: 'zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQkT5-Wq0' })
  t.deepEqual(readdirSync(DATA_DIR), [])
})

test('a kept secret is used where the folder cannot be written', async (t) => {
  const DATA_DIR = newFolder()
  await startOnce({ ...inMemory, DATA_DIR })
  chmodSync(DATA_DIR, 0o500)
  await t.notThrowsAsync(startOnce({ ...inMemory, DATA_DIR }))
  chmodSync(DATA_DIR, 0o700)
})

test('a kept secret that is damaged stops the start, and is not replaced', async (t) => {
  const DATA_DIR = newFolder()
  const path = join(DATA_DIR, 'jwt-secret')
  writeFileSync(path, 'torn')
  await t.throwsAsync(startOnce({ ...inMemory, DATA_DIR }), {
    instanceOf: ConfigError,
    message: /jwt-secret must have at least 32 bytes/,
  })
  t.is(readFileSync(path, 'utf8'), 'torn')
})

test('processes that start together for the first time agree on everything', async (t) => {
  const DATA_DIR = newFolder()
  const env = { DATA_DIR, PUBLIC_URL: 'http://id.example.com' }
  const services = await Promise.all([1, 2, 3].map(() => spawnService(env)))
  const runtime = await createRuntime(loadConfig(env), { logger })
  try {
    const passwords = services.flatMap((service) => service.output().match(/Password +\S+/g) ?? [])
    t.is(passwords.length, 1, 'one administrator, whose password was printed once')
    const admin = await runtime.services.users.findByLogin('admin')
    const { keyPair, apiSecret } = await runtime.services.keyPairs.mint(operator, admin.id, 'Test')
    const { accessToken } = await runtime.services.tokens.exchange(keyPair.apiKey, apiSecret, {
      ip: null,
    })
    for (const service of services) {
      const response = await service.fetch('/wp/v2/token/validate', {
        headers: { Authorization: `Bearer ${accessToken}` },
      })
      t.is(response.status, 200)
      t.is(await service.stop(), 0)
    }
  } finally {
    await runtime.close()
    await Promise.all(services.map((service) => service.stop('SIGKILL')))
  }
})

onEachEmptyDatabase(
  'an old schema is refused unless it may be migrated',
  async (t, { url, open }) => {
    const DATA_DIR = newFolder()
    const config = loadConfig({ DATABASE_URL: url, DATA_DIR })
    const refusal = {
      instanceOf: SchemaError,
      message: /Run `twinkey migrate`.*MIGRATE_ON_START=true/,
    }
    await t.throwsAsync(createRuntime(config, { logger }), refusal)
    await (await createRuntime(config, { logger, migrate: true })).close()
    await (await createRuntime(config, { logger })).close()
    const db = open()
    await db.migrate.down()
    await t.throwsAsync(createRuntime(config, { logger }), refusal)
    await migrate(db)
    await (await createRuntime(config, { logger })).close()
  },
)

onEachEmptyDatabase(
  'a service on an old MySQL schema names the command and exits, unless told to migrate',
  async (t, { url }) => {
    const env = { DATABASE_URL: url }
    const error = await t.throwsAsync(spawnService(env))
    t.regex(error.message, /schema is not current/)
    t.regex(error.message, /twinkey migrate/)
    const service = await spawnService({ ...env, MIGRATE_ON_START: 'true' })
    t.is((await service.fetch('/readyz')).status, 200)
    t.is(await service.stop(), 0)
    const again = await spawnService(env)
    t.is(await again.stop(), 0)
  },
  'MariaDB',
)

const mariadb = dialects.find(({ name }) => name === 'MariaDB')
const onMariadb = mariadb?.isAvailable ? test : test.skip
onMariadb('a node migrates and starts while the first of its servers is away', async (t) => {
  const database = await mariadb?.create()
  if (!database) throw new Error('There is no database')
  const nobody = `127.0.0.1:${await freePort()}`
  const env = { DATABASE_URL: database.url.replace('@', `@${nobody},`), DATA_DIR: newFolder() }
  try {
    for (const mayMigrate of [true, false]) {
      const config = loadConfig({ ...env, DATABASE_WAIT_MS: '60000' })
      const runtime = await createRuntime(config, { logger, migrate: mayMigrate })
      t.is(await runtime.services.readiness(), 'ready')
      await runtime.close()
    }
  } finally {
    await database.remove()
  }
})
