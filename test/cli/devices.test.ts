import { bearer, onEachDatabase } from '../helpers/with-service.js'
import { cliBeside } from './run-cli.js'

onEachDatabase('devices are listed and signed out', async (t, service) => {
  const cli = cliBeside(service)
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { api_key } = pair
  t.is((await cli('device', 'list', 'ada', api_key)).stdout, `${api_key} has no devices.\n`)
  const exchange = async (device: string) =>
    (await service.json('/wp/v2/token', { fields: { ...pair, device } })).body
  const phone = await exchange('phone\u001b[31m')
  const desk = await exchange('desk')

  const listed = await cli('device', 'list', 'ada', api_key)
  t.is(listed.code, 0, listed.stderr)
  t.false(listed.stdout.includes('\u001b'))
  const { devices } = (await cli('device', 'list', 'ada', api_key, '--json')).json()
  const found = devices.find(({ name }: { name: string }) => name.startsWith('phone'))
  t.like(found, { last_ip: '127.0.0.1', signed_out_at: null, incident: null })

  const end = (id: unknown, ...more: string[]) =>
    cli('device', 'sign-out', 'ada', api_key, String(id), ...more)
  t.regex((await end(found.id)).stdout, /is signed out, with all of its tokens\.\n$/)
  t.deepEqual((await end(found.id, '--json')).json(), { signed_out: false })
  const check = async (token: string) =>
    (await service.json('/wp/v2/token/validate', { headers: bearer(token) })).status
  t.is(await check(phone.access_token), 403)
  t.is(await check(desk.access_token), 200)
  t.is((await end('x')).code, 2)
  const unknown = await end(999)
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /no such device/)

  const limited = await cli('key', 'limit', 'ada', api_key, '--require-device', 'yes', '--json')
  t.true(limited.json().require_device)
  const refused = await service.json('/wp/v2/token', { fields: { ...pair } })
  t.is(refused.body.code, 'rest_authentication_required_device')
  t.is((await cli('key', 'limit', 'ada', api_key, '--require-device', 'maybe')).code, 2)
})
