import { onEachDatabase } from '../helpers/with-service.js'

onEachDatabase('healthz and readyz say that the service runs and can serve', async (t, service) => {
  for (const [path, text] of [
    ['/healthz', '{"status":"ok"}'],
    ['/readyz', '{"status":"ready"}'],
  ] as const) {
    const response = await service.fetch(path)
    t.is(response.status, 200)
    t.is(await response.text(), text)
    t.is(response.headers.get('Cache-Control'), 'no-store', 'no proxy may answer for us')
    t.is((await service.fetch(path, { method: 'HEAD' })).status, 200)
    t.is((await service.fetch(path, { method: 'POST' })).status, 404)
    t.is((await service.fetch(path.toUpperCase())).status, 404)
  }
})

onEachDatabase('readyz says that the schema is older than the program', async (t, service) => {
  const { db } = service.runtime
  const last = await db('migrations').orderBy('id', 'desc').first()
  await db('migrations').where({ id: last.id }).delete()
  const behind = await service.json('/readyz')
  t.is(behind.status, 503)
  t.deepEqual(behind.body, { status: 'schema_outdated' })
  t.is(behind.headers.get('Retry-After'), '2')
  t.is((await service.json('/healthz')).status, 200, 'restarting would not help')
  await db('migrations').insert(last)
  t.is((await service.json('/readyz')).status, 200)

  await db.schema.renameTable('migrations', 'elsewhere')
  t.deepEqual((await service.json('/readyz')).body, { status: 'schema_outdated' })
  await db.schema.renameTable('elsewhere', 'migrations')
  t.is((await service.json('/readyz')).status, 200)
})
