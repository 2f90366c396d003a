import { settle } from '../helpers/audit.js'
import { onEachDatabase } from '../helpers/with-service.js'
import { cliBeside } from './run-cli.js'

onEachDatabase('audit tail, export and verify', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const { services } = service.runtime
  const operator = { kind: 'operator' } as const
  const { keyPair } = await services.keyPairs.mint(operator, id, '=cmd|"calc"!A1\u001b[2J')
  const refused = await service.json('/wp/v2/token', {
    fields: { api_key: keyPair.apiKey, api_secret: 'wrong' },
    headers: { 'User-Agent': '@SUM(1+1)' },
  })
  await settle(service)

  const requestId = refused.headers.get('X-Request-Id') ?? ''
  const why = await cli('audit', 'tail', '--request-id', requestId)
  t.is(why.code, 0, why.stderr)
  t.regex(why.stdout, /request\.refused {2}REFUSED/)
  t.regex(why.stdout, /wrong_secret/)
  const tailed = await cli('audit', 'tail', '-n', '2', '--json')
  t.is(tailed.stdout.trim().split('\n').length, 2)

  const exported = await cli('audit', 'export', '--key', keyPair.apiKey)
  const rows = exported.stdout
    .trim()
    .split('\n')
    .map((text) => JSON.parse(text))
  t.deepEqual(
    rows.map((row) => row.action),
    ['key_pair.minted', 'request.refused'],
  )
  t.is(rows[0].details.name, '=cmd|"calc"!A1\u001b[2J')
  const csv = (await cli('audit', 'export', '--format', 'csv', '--key', keyPair.apiKey)).stdout
  t.true(csv.startsWith('"id","at","action"'))
  t.true(csv.includes(`"'@SUM(1+1)"`))
  t.false(csv.includes('\u001b'))

  const good = await cli('audit', 'verify', '--json')
  t.is(good.code, 0, good.stderr)
  t.true(good.json().ok)
  const { seq, hash } = good.json().end
  t.is((await cli('audit', 'verify', '--expect', `${seq}:${hash}`)).code, 0)

  await service.runtime.db('audit_log').where({ seq: 2 }).update({ reason: 'nothing to see' })
  const bad = await cli('audit', 'verify')
  t.is(bad.code, 1)
  t.regex(bad.stdout, /Entry 2 was edited/)
  t.is((await cli('audit', 'verify', '--expect', 'x')).code, 2)
  t.is((await cli('audit', 'tail', '--from', 'yesterday')).code, 2)
})
