import { onEachDatabase, type Pair } from '../helpers/with-service.js'
import { cliBeside, onSqlite } from './run-cli.js'

const day = 86_400

onEachDatabase('a key-pair is minted with limits, and limited otherwise', async (t, service) => {
  const cli = cliBeside(service)
  await service.createUser('ada')
  const minted = await cli(
    ...['key', 'mint', 'ada', 'Backup', '--json', '--expires', '30d', '--description', 'Host 1'],
    ...['--network', '203.0.113.0/24,127.0.0.1', '--network', '::1'],
  )
  t.is(minted.code, 0, minted.stderr)
  const { name, api_key, api_secret, expires_at, ...limits } = minted.json()
  t.is(name, 'Backup')
  t.deepEqual(limits, {
    description: 'Host 1',
    networks: ['203.0.113.0/24', '127.0.0.1', '::1'],
  })
  t.true(Math.abs(Date.parse(expires_at) / 1000 - service.now() - 30 * day) < 60)
  t.is((await service.json('/wp/v2/token', { fields: { api_key, api_secret } })).status, 200)

  const limited = await cli(
    ...['key', 'limit', 'ada', api_key, '--network', '203.0.113.0/24', '--expires', '2099-01-31'],
  )
  t.is(limited.code, 0, limited.stderr)
  t.regex(
    limited.stdout,
    /Expires +2099-01-31 00:00:00Z\n +Scopes +all\n +Networks +203\.0\.113\.0\/24\n +Device +optional\n +Description +Host 1\n/,
  )
  const refused = await service.json('/wp/v2/token', { fields: { api_key, api_secret } })
  t.is(refused.body.code, 'rest_authentication_network_not_allowed')
  t.regex(
    (await cli('key', 'list', 'ada')).stdout,
    /EXPIRES +NETWORKS\n.*2099-01-31 00:00:00Z +203\.0\.113\.0\/24\n$/,
  )

  const lifted = await cli(
    'key',
    'limit',
    'ada',
    api_key,
    '--network',
    '',
    '--expires',
    'never',
    '--description',
    '',
    '--json',
  )
  t.deepEqual(lifted.json(), { name: 'Backup', api_key })
})

onEachDatabase('a secret is rotated, and the old one outlives it as asked', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const old = await service.mint(id, 'Backup')
  const exchange = async (pair: Pair) =>
    (await service.json('/wp/v2/token', { fields: { ...pair } })).status
  const rotated = await cli('key', 'rotate', 'ada', old.api_key, '--overlap', '24h', '--json')
  t.is(rotated.code, 0, rotated.stderr)
  const { api_secret, old_secret_until } = rotated.json()
  t.true(Math.abs(Date.parse(old_secret_until) / 1000 - service.now() - day) < 60)
  const fresh = { ...old, api_secret }
  t.deepEqual([await exchange(old), await exchange(fresh)], [200, 200])
  await service.runtime.services.usage.flush()
  const [{ secrets }] = (await cli('key', 'list', 'ada', '--json')).json().key_pairs
  t.deepEqual(
    secrets.map((secret: any) => [secret.status, typeof secret.last_used_at]),
    [
      ['current', 'string'],
      ['previous', 'string'],
    ],
  )

  const conflict = await cli('key', 'rotate', 'ada', old.api_key, '--overlap', '1h')
  t.is(conflict.code, 1)
  t.regex(conflict.stderr, /overlap of its last rotation/)
  const now = await cli('key', 'rotate', 'ada', old.api_key)
  t.regex(now.stdout, /The old secret is dead, and so are all tokens made with it\.\n$/)
  t.deepEqual([await exchange(old), await exchange(fresh)], [403, 403])
})

onSqlite('what cannot be is refused by the name of its option', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const { api_key } = await service.mint(id, 'Backup')
  const results: [string[], number, RegExp][] = [
    [['limit', 'ada', api_key], 2, /Say what to change/],
    [['limit', 'ada', api_key, '--expires', 'soon'], 2, /like 30d, 12h, 2027-01-31 or never/],
    [['limit', 'ada', api_key, '--expires', '2001-01-31'], 1, /--expires must be in the future/],
    [['limit', 'ada', api_key, '--network', 'example.com'], 1, /--network must be addresses/],
    [['limit', 'ada', api_key, '--scope', 'read'], 1, /--scope cannot be chosen/],
    [['limit', 'ada', 'unknown', '--expires', '30d'], 1, /No active key-pair/],
    [['rotate', 'ada', api_key, '--overlap', '1w'], 2, /like 24h, 7d, 90m or 0/],
    [['rotate', 'ada', api_key, '--overlap', '31d'], 1, /--overlap must be from 0/],
  ]
  for (const [args, code, message] of results) {
    const result = await cli('key', ...args)
    t.is(result.code, code, args.join(' '))
    t.regex(result.stderr, message)
    t.is(result.stdout, '')
  }
})
