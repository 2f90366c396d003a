import { bearer, onEachDatabase } from '../helpers/with-service.js'
import { cliBeside } from './run-cli.js'

onEachDatabase('revocable tokens are listed and revoked', async (t, service) => {
  const cli = cliBeside(service)
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { api_key } = pair
  const none = await cli('token', 'list', 'ada', api_key)
  t.is(none.stdout, `${api_key} has no revocable tokens.\n`)
  const fields = { ...pair, is_revocable: 'true', description: 'Nightly\u001b[31m' }
  const { body } = await service.json('/wp/v2/token', { fields })

  const listed = await cli('token', 'list', 'ada', api_key)
  t.is(listed.code, 0, listed.stderr)
  t.true(listed.stdout.includes(body.jti))
  t.false(listed.stdout.includes('\u001b'))
  const { stdout } = await cli('token', 'revoke', 'ada', api_key, body.jti)
  t.is(stdout, `Token ${body.jti} is revoked.\n`)
  const headers = bearer(body.access_token)
  const check = await service.json('/wp/v2/token/validate', { headers })
  t.is(check.body.code, 'rest_authentication_revoked_token')
  const again = await cli('token', 'revoke', 'ada', api_key, body.jti, '--json')
  t.deepEqual(again.json(), { revoked: false })
  const unknown = await cli('token', 'revoke', 'ada', api_key, 'of-nobody')
  t.is(unknown.code, 1)
  t.regex(unknown.stderr, /no such token/)
})
