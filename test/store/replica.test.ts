import test from 'ava'
import { migrate } from '../../src/store/migrate.js'
import { openDatabase } from '../../src/store/open.js'
import { runCli } from '../cli/run-cli.js'
import { mariadbBinary, startMariadb } from '../helpers/mariadb-server.js'
import { databaseConfig } from '../helpers/with-stores.js'
import { jwtSecret } from '../helpers/with-service.js'

const register = mariadbBinary ? test.serial : test.serial.skip
const silent = { warn() {}, error() {}, debug() {} }

// What a replica and a reader of Aurora are known by.
for (const option of ['--read-only', '--innodb-read-only']) {
  register(`a server with ${option} serves no check, and is told why`, async (t) => {
    t.timeout(120_000)
    const server = await startMariadb()
    try {
      const url = new URL('twinkey', server.url).href
      const admin = openDatabase(databaseConfig(new URL('mysql', server.url).href), silent)
      await admin.raw('create database twinkey')
      await admin.destroy()
      const db = openDatabase(databaseConfig(url), silent)
      await migrate(db)
      await db.destroy()
      // Whatever has not been written down cannot be afterwards.
      await server.stop()
      await server.start([option])

      const replica = openDatabase(databaseConfig(url), silent)
      await t.throwsAsync(async () => replica('users').first(), { code: 'SERVER_NOT_READY' })
      await replica.destroy()
      const { code, stderr } = await runCli(['serve'], {
        env: { DATABASE_URL: url, JWT_SECRET: jwtSecret, PORT: '0' },
      })
      t.is(code, 1)
      t.regex(stderr, /read-only, as replicas are.*Name the primary/)
    } finally {
      await server.remove()
    }
  })
}

register('a replica that may be written to is known all the same', async (t) => {
  t.timeout(120_000)
  const primary = await startMariadb(['--log-bin=binlog', '--server-id=1'])
  const replica = await startMariadb(['--server-id=2'])
  const open = (url: string) => openDatabase(databaseConfig(new URL('mysql', url).href), silent)
  const [first, second] = [open(primary.url), open(replica.url)]
  try {
    const [[{ position }]] = await first.raw('select @@gtid_binlog_pos as position')
    await second.raw('set global gtid_slave_pos = ?', [position])
    const { hostname, port, username, password } = new URL(primary.url)
    await second.raw(
      `change master to master_host = '${hostname}', master_port = ${port}, master_use_gtid = slave_pos,
        master_user = '${username}', master_password = '${password}'`,
    )
    await second.raw('start slave')
    // The connection is there already; it is new ones that are looked at.
    for (;;) {
      const [[status]] = await second.raw("show global status like 'Slave_running'")
      if (status.Value === 'ON') break
    }
    await second.destroy()
    const fresh = open(replica.url)
    await t.throwsAsync(async () => fresh.raw('select 1'), { message: /is a replica of another/ })
    await fresh.destroy()
    await first.raw('select 1')
  } finally {
    await first.destroy()
    await second.destroy()
    await primary.remove()
    await replica.remove()
  }
})
