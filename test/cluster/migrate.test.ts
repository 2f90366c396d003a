import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Knex } from 'knex'
import { migrationNames } from '../../db/migration-source.js'
import { loadConfig } from '../../src/config.js'
import { LostLeaseError, takeMigrationLease } from '../../src/store/migration-lease.js'
import { openDatabase } from '../../src/store/open.js'
import { spawnTwinkey } from '../helpers/spawn-service.js'
import { jwtSecret } from '../helpers/with-service.js'
import { onCluster } from './with-cluster.js'

const quiet = { warn() {}, error() {}, debug() {} }

onCluster('three processes on three servers migrate once', async (t, { galera }) => {
  await galera.createDatabase('fresh')
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-migrate-'))
  try {
    const runs = await Promise.all(
      galera.nodes.map(
        (node) =>
          new Promise<{ code: number | null; output: string; errors: string }>((resolve) => {
            const env = { DATABASE_URL: `${node.url}fresh`, JWT_SECRET: jwtSecret }
            const child = spawnTwinkey(['migrate', '--json'], env, folder)
            let output = ''
            let errors = ''
            child.stdout?.on('data', (chunk: Buffer) => {
              output += chunk
            })
            child.stderr?.on('data', (chunk: Buffer) => {
              errors += chunk
            })
            child.once('close', (code) => resolve({ code, output, errors }))
          }),
      ),
    )
    t.deepEqual(
      runs.map(({ code, errors }) => [code, errors]),
      [0, 1, 2].map(() => [0, '']),
    )
    // Each migration by one of them, and all of them by somebody.
    const names = runs.flatMap(({ output }) => JSON.parse(output).migrations as string[])
    t.deepEqual(names.sort(), [...migrationNames])
    const recorded = await galera.nodes[2].query('select name from fresh.migrations order by name')
    t.deepEqual(
      recorded.map(({ name }) => name),
      [...migrationNames],
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

onCluster('of many that want to migrate one may, until it dies', async (t, { urlOf }) => {
  const dbs = [0, 1, 2].map((index) =>
    openDatabase(loadConfig({ DATABASE_URL: urlOf(index), JWT_SECRET: jwtSecret }).database, quiet),
  )
  const [first, second] = dbs as [Knex, Knex, Knex]
  try {
    for (let round = 0; round < 2; round++) {
      const leases = await Promise.all(
        dbs.map((db) => takeMigrationLease(db, { beatMs: 200, patience: 1000, waitMs: 8000 })),
      )
      const held = leases.filter((lease) => lease !== undefined)
      t.is(held.length, 1, `round ${round}`)
      await held[0]?.release()
    }
    // This one counts so seldom that it might as well be dead.
    const stopped = await takeMigrationLease(first, { beatMs: 600_000, waitMs: 30_000 })
    t.truthy(stopped)
    const patient = { beatMs: 500, patience: 3, waitMs: 60_000 }
    const taken = await takeMigrationLease(second, patient)
    t.truthy(taken)
    await t.throwsAsync(async () => stopped?.renew(), { instanceOf: LostLeaseError })
    await taken?.renew()
    await taken?.release()
  } finally {
    for (const db of dbs) await db.destroy()
  }
})
