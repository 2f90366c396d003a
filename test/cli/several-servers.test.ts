import type { Finding } from '../../src/cli/doctor/finding.js'
import { freePort } from '../helpers/mariadb-server.js'
import { jwtSecret, keyEncryptionKey, onEachDatabase } from '../helpers/with-service.js'
import { runCli } from './run-cli.js'

onEachDatabase(
  'commands do their work while the first of several servers is away',
  async (t, service) => {
    const { url, databaseUrl, dialect } = service
    if (dialect.name === 'SQLite') return void t.pass('there is one file')
    await service.createUser('ada')
    const away = `127.0.0.1:${await freePort()}`
    const { host } = new URL(databaseUrl)
    const env = {
      DATABASE_URL: databaseUrl.replace(host, `${away},${host}`),
      JWT_SECRET: jwtSecret,
      KEY_ENCRYPTION_KEY: keyEncryptionKey,
      PUBLIC_URL: url,
    }
    const minted = await runCli(['key', 'mint', 'ada', 'Test', '--json'], { env })
    t.is(minted.code, 0, minted.stderr)
    const listed = await runCli(['key', 'list', 'ada', '--json'], { env })
    t.is(listed.code, 0, listed.stderr)
    t.regex(listed.stdout, new RegExp(minted.json().api_key))

    const { code, stdout, json } = await runCli(['doctor', '--json'], { env })
    t.is(code, 0, stdout)
    const of = (check: string) => json().checks.find((one: Finding) => one.check === check)
    t.is(of('database').status, 'ok')
    t.is(of('servers').status, 'warn')
    t.is(of('servers').message, `${away} does not answer strict reads.`)
  },
)
