import test from 'ava'
import { setUpApp } from '../helpers/second-factors.js'
import { bearer, onEachDatabase, passwordOf } from '../helpers/with-service.js'
import { cliBeside, onSqlite, runCli } from './run-cli.js'

const iso = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/

onEachDatabase('a user created at the command line can log in', async (t, service) => {
  const cli = cliBeside(service)
  const password = 'correct horse'
  // The line break that `echo` and editors add is not part of the password.
  const made = await cli.piped(
    `${password}\r\n`,
    ...['user', 'create', 'ada', '--email', 'ada@example.org', '--role', 'administrator'],
    ...['--display-name', 'Ada Lovelace', '--password-stdin', '--json'],
  )
  t.is(made.code, 0, made.stderr)
  const { created_at, ...rest } = made.json()
  t.regex(created_at, iso)
  t.deepEqual(rest, {
    id: 1,
    user_login: 'ada',
    user_email: 'ada@example.org',
    display_name: 'Ada Lovelace',
    first_name: '',
    last_name: '',
    roles: ['administrator'],
    status: 'active',
  })
  t.is((await service.logIn('ada', password)).user.id, 1)

  const shown = await cli('user', 'show', 'ada', '--json')
  const second_factor = { required: false, totp: false, passkeys: 0, recovery_codes: 0 }
  t.deepEqual(shown.json(), { ...made.json(), active_key_pairs: 0, second_factor })

  const again = await cli.piped(
    password,
    ...['user', 'create', 'ADA', '--email', 'other@example.org', '--password-stdin'],
  )
  t.deepEqual([again.code, again.stdout], [1, ''])
  t.is(again.stderr, 'twinkey: Sorry, that username already exists!\n')
})

onSqlite('a made-up password is printed once, and works', async (t, service) => {
  const cli = cliBeside(service)
  const made = await cli('user', 'create', 'ci', '--email', 'c@e.org', '--generate-password')
  const [, password = ''] = /Password {2}(\S{24})\n/.exec(made.stdout) ?? []
  t.is((await service.logIn('ci', password)).user.roles.join(), 'subscriber')

  const reset = await cli('user', 'password', 'ci', '--generate-password', '--json')
  t.deepEqual(Object.keys(reset.json()), ['revoked_key_pairs', 'password'])
  t.is((await service.logIn('ci', reset.json().password)).user.login, 'ci')
  await t.throwsAsync(service.logIn('ci', password))
})

test('what is wrong with a new user is said in words, all of it', async (t) => {
  const { code, stdout, stderr } = await runCli(
    ['user', 'create', 'b|b', '--email', 'nowhere', '--password-stdin'],
    { input: 'short' },
  )
  t.deepEqual([code, stdout], [1, ''])
  t.is(
    stderr.slice(stderr.indexOf('twinkey: Some')),
    [
      'twinkey: Some values are not valid:',
      '  - LOGIN must be 1 to 60 letters, digits, spaces or any of _ . - @.',
      '  - --email must be an e-mail address.',
      '  - The password must have at least 8 characters.\n',
    ].join('\n'),
  )
})

onSqlite('users are listed and found', async (t, service) => {
  const cli = cliBeside(service)
  for (const login of ['ada', 'bob', 'charles']) await service.createUser(login)
  await service.mint((await service.createUser('dora')).id)
  const { users } = (await cli('user', 'list', '--json')).json()
  t.deepEqual(
    users.map((user: any) => user.user_login),
    ['ada', 'bob', 'charles', 'dora'],
  )
  t.deepEqual(Object.keys(users[0]), [
    ...['id', 'user_login', 'user_email', 'display_name', 'first_name', 'last_name', 'roles'],
    ...['status', 'created_at'],
  ])
  const found = await cli('user', 'list', '--search', 'BOB@')
  t.regex(found.stdout, /^ID {2}LOGIN .*\n\d {3}bob .*bob@sample\.org .*\n$/)
  t.regex((await cli('user', 'show', 'dora')).stdout, /\nKey-pairs {3}1 active\n/)
  t.is((await cli('user', 'list', '--search', '%')).stdout.split(' ')[0], 'No')

  const missing = await cli('user', 'show', 'nobody', '--json')
  t.deepEqual([missing.code, missing.stdout], [1, ''])
  t.is(missing.stderr, 'twinkey: There is no user "nobody".\n')
})

onEachDatabase('a lost second factor is taken away by the operator', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const person = await service.logIn('ada')
  t.is((await cli('user', 'require-second-factor', 'ada', '--json')).json().required, true)
  const mint = (headers: Record<string, string>) =>
    service.json(`/wp/v2/key-pair/${id}`, { headers, fields: { name: 'A' } })
  t.is((await mint(person.headers)).status, 403)
  await setUpApp(service, person)
  t.is((await mint(person.headers)).status, 200)
  // Who runs commands is asked for none.
  t.is((await cli('key', 'mint', 'ada', 'Job')).code, 0)
  t.regex(
    (await cli('user', 'show', 'ada')).stdout,
    /\n2nd factor {2}authenticator app; 10 recovery codes left; required for minting\n/,
  )

  const reset = await cli('user', 'reset-second-factor', 'ada')
  t.regex(reset.stdout, /^The second factor of ada is gone \(authenticator app; 10 /)
  t.is((await service.json('/session', { headers: person.headers })).status, 401)
  const again = await service.logIn('ada')
  t.is((await mint(again.headers)).status, 403)
  t.deepEqual((await cli('user', 'reset-second-factor', 'ada', '--json')).json(), { reset: false })
  t.is((await cli('user', 'require-second-factor', 'ada', '--off')).code, 0)
  t.is((await mint((await service.logIn('ada')).headers)).status, 200)
})

onEachDatabase('a password set by the operator ends everything at once', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const session = await service.logIn('ada')
  const pair = await service.mint(id, 'One')
  await service.mint(id, 'Two')
  const { access_token } = await service.exchange(pair)

  const changed = await cli.piped('another password', 'user', 'password', 'ada', '--password-stdin')
  t.is(
    changed.stdout,
    'The password of ada was changed. 2 key-pairs were revoked, and every session has ended.\n',
  )
  t.is((await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })).status, 403)
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  t.is((await service.json('/session', { headers: session.headers })).status, 401)
  await t.throwsAsync(service.logIn('ada', passwordOf('ada')))
  t.is((await service.logIn('ada', 'another password')).user.id, id)
})

onEachDatabase('disabling kills tokens at once, enabling revives them', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id)
  const { access_token } = await service.exchange(pair)
  const validate = async () =>
    (await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })).status
  t.is(await validate(), 200)

  const disabled = await cli('user', 'disable', 'ada', '--json')
  t.is(disabled.json().status, 'disabled')
  t.is(await validate(), 403)
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  await t.throwsAsync(service.logIn('ada'))
  t.is((await cli('user', 'disable', 'ada')).stdout, 'ada was disabled already.\n')
  // A key-pair minted now sleeps with its user, and whoever mints it is told.
  const minted = await cli('key', 'mint', 'ada', 'Later', '--json')
  t.regex(minted.stderr, /ada is disabled/)

  t.is((await cli('user', 'enable', 'ada', '--json')).json().status, 'active')
  t.is(await validate(), 200)
})

onEachDatabase('deleting a user asks first, and kills tokens at once', async (t, service) => {
  const cli = cliBeside(service)
  const { id } = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(id))
  const me = async () =>
    (await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status

  const unsure = await cli('user', 'delete', 'ada')
  t.deepEqual([unsure.code, unsure.stdout], [2, ''])
  t.is(unsure.stderr, 'twinkey: This asks for confirmation. Confirm it with --yes.\n')
  t.is(await me(), 200)

  const { stdout } = await cli('user', 'delete', 'ada', '--yes')
  t.is(stdout, 'User ada (ada@sample.org) with 1 key-pair was deleted.\n')
  t.not(await me(), 200)
})
