import { bearer, onEachDatabase } from '../helpers/with-service.js'
import { inspect, inspectionText } from '../../src/cli/token-inspection.js'
import { operator } from '../../src/domain/actor.js'
import { cliBeside, onSqlite } from './run-cli.js'

onSqlite('tokens issued here are those that HTTP issues', async (t, service) => {
  const cli = cliBeside(service)
  const pair = await service.mint((await service.createUser('ada')).id)
  const issue = ['token', 'issue', pair.api_key, '--secret-stdin']
  const issued = await cli.piped(`${pair.api_secret}\n`, ...issue, '--json')
  t.is(issued.code, 0, issued.stderr)

  const overHttp = (await service.json('/wp/v2/token', { fields: { ...pair } })).body
  const { access_token, refresh_token, ...rest } = issued.json()
  const { access_token: _, refresh_token: __, ...expected } = overHttp
  t.deepEqual(rest, expected)
  t.deepEqual(Object.keys(issued.json()), Object.keys(overHttp))
  t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status, 200)
  t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).status, 200)

  const text = await cli.piped(pair.api_secret, ...issue)
  t.regex(
    text.stdout,
    /^Tokens of ada.*\n\nAccess token {3}\S+\n {2}until {8}.* \(7 days\)\nRefresh token {2}\S+\n {2}until {8}.* \(365 days\)\n$/,
  )

  const mistyped = await cli.piped(pair.api_secret.slice(0, -1), ...issue)
  t.deepEqual([mistyped.code, mistyped.stdout], [1, ''])
  t.is(
    mistyped.stderr,
    'twinkey: The secret is mistyped or cut off: its check sum does not match.\n' +
      'twinkey: The API key-pair is invalid.\n',
  )
})

onEachDatabase('a token is explained, and looking at it is no use of it', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id, 'Backup script')
  const { access_token, refresh_token } = await service.exchange(pair)
  await service.runtime.services.usage.flush()
  const [before] = await service.runtime.stores.keyPairs.listByUser(id)

  const access = await cli.piped(`Bearer ${access_token}\n`, 'token', 'inspect', '--json')
  t.is(access.code, 0, access.stderr)
  const { issued_at, expires_at, expires_in, ...rest } = access.json()
  t.is(Date.parse(expires_at) - Date.parse(issued_at), 604_800_000)
  t.true(expires_in > 604_700 && expires_in <= 604_800)
  t.deepEqual(rest, {
    valid: true,
    signature: true,
    type: 'access',
    issuer: service.url,
    user: { id, user_login: 'ada', user_email: 'ada@sample.org', status: 'active' },
    api_key: pair.api_key,
    key_pair: { name: 'Backup script', revoked_at: null },
  })
  const refresh = await cli.piped(refresh_token, 'token', 'inspect')
  t.is(refresh.code, 0)
  t.regex(
    refresh.stdout,
    /^Good: it would be accepted\.\n\nWhat +refresh token: .*authenticates nothing\n/,
  )
  t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), before ? [before] : [])
})

onEachDatabase('why a token would be refused is said in words', async (t, service) => {
  const ada = await service.createUser('ada')
  const bob = await service.createUser('bob')
  const { services, stores } = service.runtime
  const issueFor = async (userId: number) => {
    const pair = await service.mint(userId, 'Backup script')
    return { ...pair, ...(await service.exchange(pair)) }
  }
  const deps = { services, issuer: service.url, now: service.now }
  const verdict = async (token: string) => inspectionText(await inspect(token, deps)).split('\n')[0]

  const one = await issueFor(ada.id)
  t.is(await verdict(one.access_token), 'Good: it would be accepted.')
  await services.keyPairs.revoke(operator, ada.id, one.api_key)
  t.is(await verdict(one.access_token), 'Refused: its key-pair was revoked.')
  const two = await issueFor(ada.id)
  await services.keyPairs.revokeAll(operator, ada.id)
  t.is(
    await verdict(two.access_token),
    'Refused: its key-pair was revoked, with all others of the user.',
  )
  const three = await issueFor(ada.id)
  await services.users.resetPassword(ada.id, 'another password')
  t.is(
    await verdict(three.refresh_token),
    "Refused: its key-pair was revoked when the user's password was changed.",
  )
  await stores.keyPairs.purgeRevoked(service.now() + 1)
  t.is(await verdict(three.refresh_token), 'Refused: its key-pair does not exist (any more).')

  const four = await issueFor(bob.id)
  await services.users.disable(bob.id)
  t.is(await verdict(four.access_token), 'Refused: the user bob is disabled.')
  await services.users.delete(bob.id)
  t.is(await verdict(four.access_token), 'Refused: its user does not exist (any more).')

  const five = await issueFor(ada.id)
  const [head, body] = five.access_token.split('.')
  t.is(
    await verdict(`${head}.${body}.AAAA`),
    'Refused: its signature is not by this service: another secret signed it, or it was altered.',
  )
  t.is(await verdict('nonsense'), 'Refused: it is not a JSON Web Token.')
  service.advance(-500)
  t.regex((await verdict(five.access_token)) ?? '', /^Refused: it is not valid yet/)
  service.advance(500 + 604_800)
  t.is(await verdict(five.access_token), 'Refused: it has expired.')
})

onSqlite('a token that would be refused ends with exit code 1', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id)
  const { access_token } = await service.exchange(pair)
  await service.runtime.services.keyPairs.revoke(operator, id, pair.api_key)

  const { code, json } = await cli.piped(access_token, 'token', 'inspect', '--json')
  t.is(code, 1)
  t.like(json(), {
    valid: false,
    code: 'rest_authentication_revoked_api_key',
    reason: 'Its key-pair was revoked.',
    signature: true,
    type: 'access',
  })
  const nothing = await cli('token', 'inspect')
  t.deepEqual([nothing.code, nothing.stdout], [2, ''])
  t.is(nothing.stderr, 'twinkey: There was no token on standard input.\n')
})
