import { operator } from '../../src/domain/actor.js'
import { lastEntry } from '../helpers/audit.js'
import { actorOf, setUpApp } from '../helpers/second-factors.js'
import { onEachDatabaseAlone } from '../helpers/with-nodes.js'
import { passwordOf, type Service } from '../helpers/with-service.js'

const credentials = (login: string, otp?: string) => ({
  user_login: login,
  password: passwordOf(login),
  ...(otp !== undefined && { otp }),
})

async function start(service: Service) {
  const user = await service.createUser('ada')
  const person = await service.logIn('ada')
  const app = await setUpApp(service, person)
  const logIn = (otp?: string) => service.json('/login', { json: credentials('ada', otp) })
  return { user, person, app, logIn }
}

onEachDatabaseAlone('the password alone opens no session any more', async (t, service) => {
  const { app, logIn } = await start(service)
  const without = await logIn()
  t.is(without.status, 401)
  t.is(without.body.code, 'rest_authentication_second_factor_required')
  t.deepEqual(without.headers.getSetCookie(), [])
  t.is((await logIn('')).body.code, 'rest_authentication_second_factor_required')

  const wrong = await logIn(app.wrong())
  t.is(wrong.status, 401)
  t.is(wrong.body.code, 'rest_authentication_invalid_second_factor')
  t.deepEqual(wrong.headers.getSetCookie(), [])

  const { status, body } = await service.json('/login', {
    json: { ...credentials('ada', app.next()), password: 'wrong' },
  })
  t.is(status, 401)
  t.is(body.code, 'incorrect_password', 'a right code says nothing without the password')

  const right = await logIn(app.next())
  t.is(right.status, 200)
  t.is(right.headers.getSetCookie().length, 1)
  t.false(service.log().includes(app.secret))
  const rows = JSON.stringify(await service.runtime.db('second_factors'))
  t.false(rows.includes(app.secret), 'the database has it encrypted only')
})

onEachDatabaseAlone('a code of the app is good once, and for three periods', async (t, service) => {
  const { app, logIn } = await start(service)
  const code = app.next()
  t.is((await logIn(code)).status, 200)
  t.is((await logIn(code)).status, 401, 'again')
  const early = app.at(service.now() + 30)
  t.is((await logIn(early)).status, 200, 'a clock ahead of ours')
  t.is((await logIn(app.at(service.now()))).status, 401, 'one before the last one used')
  service.advance(300)
  const late = app.at(service.now() - 30)
  const tooLate = app.at(service.now() - 60)
  t.is((await logIn(tooLate)).status, 401)
  t.is((await logIn(late)).status, 200)
  t.is((await logIn(` ${app.next().replace(/^(...)/, '$1 ')} `)).status, 200, 'with spaces')
})

onEachDatabaseAlone(
  'of many requests with one code at once, one gets a session',
  async (t, service) => {
    const { app, logIn } = await start(service)
    const code = app.next()
    const answers = await Promise.all(Array.from({ length: 8 }, () => logIn(code)))
    t.is(answers.filter(({ status }) => status === 200).length, 1)
    const [recovery = ''] = app.recoveryCodes
    const { secondFactors } = service.runtime.stores
    const step = Math.floor(service.now() / 30) + 10
    const { id } = await service.runtime.services.users.findByLogin('ada')
    const won = await Promise.all(
      Array.from({ length: 8 }, () => secondFactors.useTotpStep(id, step)),
    )
    t.is(won.filter(Boolean).length, 1)
    service.advance(3600)
    const recovered = await Promise.all([1, 2, 3].map(() => logIn(recovery)))
    t.is(recovered.filter(({ status }) => status === 200).length, 1)
  },
)

onEachDatabaseAlone('a recovery code stands in for the app, once', async (t, service) => {
  const { app, logIn, user } = await start(service)
  t.is(app.recoveryCodes.length, 10)
  t.is(new Set(app.recoveryCodes).size, 10)
  const [first = '', second = ''] = app.recoveryCodes
  t.regex(first, /^([a-z2-9]{4}-){3}[a-z2-9]{4}$/)
  t.is((await logIn(first)).status, 200)
  t.is((await logIn(first)).status, 401)
  t.is((await logIn(second.toUpperCase().replaceAll('-', ' '))).status, 200)
  const rows = JSON.stringify(await service.runtime.db('recovery_codes'))
  t.false(app.recoveryCodes.some((code) => rows.includes(code)))
  t.is((await service.runtime.stores.secondFactors.find(user.id)).recoveryCodes, 8)

  const bob = await service.createUser('bob')
  await setUpApp(service, await service.logIn('bob'))
  t.is(
    (await service.json('/login', { json: credentials('bob', app.recoveryCodes[2]) })).status,
    401,
  )
  t.is((await service.runtime.stores.secondFactors.find(bob.id)).recoveryCodes, 10)
})

onEachDatabaseAlone('wrong codes are limited, apart from wrong passwords', async (t, service) => {
  const { app, logIn } = await start(service)
  for (let i = 0; i < 10; i++) t.is((await logIn(app.wrong())).status, 401)
  const limited = await logIn(app.next())
  t.is(limited.status, 429)
  t.is(limited.body.code, 'rest_too_many_attempts')
  t.true(Number(limited.headers.get('Retry-After')) > 0)
  t.is((await logIn()).body.code, 'rest_authentication_second_factor_required')
})

onEachDatabaseAlone(
  'minting, rotating and revoking all need the second factor anew after 15 minutes',
  async (t, service) => {
    const { user, app } = await start(service)
    const answer = await service.json('/login', { json: credentials('ada', app.next()) })
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const headers = { Cookie: cookie, 'X-WP-Nonce': answer.body.nonce }
    const base = `/wp/v2/key-pair/${user.id}`
    const mint = () => service.json(base, { headers, fields: { name: 'A' } })
    const minted = await mint()
    t.is(minted.status, 200)
    const rotate = () =>
      service.json(`${base}/${minted.body.row.api_key}/rotate`, {
        headers,
        fields: { overlap: '0' },
      })
    const revokeAll = () => service.json(`${base}/revoke-all`, { method: 'DELETE', headers })

    service.advance(14 * 60 + 59)
    t.is((await rotate()).status, 200)
    service.advance(1)
    for (const ask of [mint, rotate, revokeAll]) {
      const { status, body } = await ask()
      t.is(status, 403)
      t.is(body.code, 'rest_authentication_step_up_required')
      t.regex(body.message, /POST \/session\/second-factor/)
    }
    t.is((await service.json(base, { headers })).body.length, 1, 'looking needs none')

    const prove = (fields: Record<string, string>, extra = headers) =>
      service.json('/session/second-factor', { headers: extra, fields })
    t.is((await prove({})).status, 400)
    t.is((await prove({ otp: app.wrong() })).status, 401)
    t.is((await mint()).status, 403)
    t.is((await prove({ otp: app.next() }, { Cookie: cookie, 'X-WP-Nonce': '' })).status, 401)
    const proven = await prove({ otp: app.next() })
    t.deepEqual(proven.body, { proven: true, expires_at: service.now() + 15 * 60 })
    t.is((await mint()).status, 200)
    t.is((await rotate()).status, 200)
    t.is((await revokeAll()).body, 2)
    // The operator at the command line is asked for nothing.
    await service.mint(user.id)
  },
)

onEachDatabaseAlone(
  'a session from before the second factor has to prove it',
  async (t, service) => {
    const user = await service.createUser('ada')
    const elsewhere = await service.logIn('ada')
    const here = await service.logIn('ada')
    await setUpApp(service, here)
    const mint = (headers: Record<string, string>) =>
      service.json(`/wp/v2/key-pair/${user.id}`, { headers, fields: { name: 'A' } })
    t.is((await mint(here.headers)).status, 200)
    t.is((await mint(elsewhere.headers)).body.code, 'rest_authentication_step_up_required')
  },
)

onEachDatabaseAlone(
  'a change of password keeps the second factor, and its proof',
  async (t, service) => {
    const { user, app, person, logIn } = await start(service)
    const changed = await service.json('/wp/v2/users/me/password', {
      headers: person.headers,
      fields: { old_password: passwordOf('ada'), new_password: 'a-new-password' },
    })
    t.is(changed.status, 200)
    const cookie = changed.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    const headers = { Cookie: cookie, 'X-WP-Nonce': changed.body.nonce }
    const mint = () =>
      service.json(`/wp/v2/key-pair/${user.id}`, { headers, fields: { name: 'A' } })
    t.is((await mint()).status, 200)
    service.advance(15 * 60)
    t.is((await mint()).status, 403)
    t.is((await logIn(app.next())).body.code, 'incorrect_password')
    const again = { ...credentials('ada', app.next()), password: 'a-new-password' }
    t.is((await service.json('/login', { json: again })).status, 200)

    // Nor does a password that an administrator sets take it away.
    await service.runtime.services.users.resetPassword(user.id, 'another-password')
    const reset = { user_login: 'ada', password: 'another-password' }
    const { body } = await service.json('/login', { json: reset })
    t.is(body.code, 'rest_authentication_second_factor_required')
  },
)

onEachDatabaseAlone(
  'where a second factor is required for minting, nobody mints without',
  async (t, service) => {
    const user = await service.createUser('ada')
    const person = await service.logIn('ada')
    const pair = await service.mint(user.id)
    const base = `/wp/v2/key-pair/${user.id}`
    const { headers } = person
    const mint = () => service.json(base, { headers, fields: { name: 'A' } })
    const refused = await mint()
    t.is(refused.status, 403)
    t.is(refused.body.code, 'rest_authentication_second_factor_missing')
    const rotate = `${base}/${pair.api_key}/rotate`
    t.is((await service.json(rotate, { headers, fields: { overlap: '0' } })).status, 403)
    const revokeAll = { method: 'DELETE', headers }
    t.is((await service.json(`${base}/revoke-all`, revokeAll)).body, 1, 'revoking is for everybody')
    await setUpApp(service, person)
    t.is((await mint()).status, 200)
  },
  { REQUIRE_SECOND_FACTOR: 'minting' },
)

onEachDatabaseAlone(
  'an administrator can require it of one user, and take away what was lost',
  async (t, service) => {
    const admin = await service.createUser('root', 'administrator')
    const user = await service.createUser('ada')
    const root = await service.logIn('root')
    const ada = await service.logIn('ada')
    const { secondFactors } = service.runtime.services
    const administrator = {
      kind: 'session',
      user: admin,
      sessionId: '',
      secondFactorAt: null,
    } as const
    const { sessionId } = (await service.runtime.services.sessions.find(
      root.cookie.split('=')[1] ?? '',
    )) as { sessionId: string }
    const actor = { ...administrator, sessionId }
    await secondFactors.setRequired(actor, user.id, true)
    const mint = (headers: Record<string, string>) =>
      service.json(`/wp/v2/key-pair/${user.id}`, { headers, fields: { name: 'A' } })
    t.is((await mint(ada.headers)).body.code, 'rest_authentication_second_factor_missing')
    t.is((await mint(root.headers)).body.code, 'rest_authentication_second_factor_missing')
    const app = await setUpApp(service, ada)
    t.is((await mint(ada.headers)).status, 200)

    await t.throwsAsync(secondFactors.reset(actor, admin.id), { message: /your own account/ })
    await secondFactors.reset(actor, user.id)
    t.is((await service.json('/session', { headers: ada.headers })).status, 401)
    t.deepEqual(await secondFactors.view(actor, user.id), {
      isRequired: true,
      hasTotp: false,
      passkeys: 0,
      recoveryCodes: 0,
    })
    const again = await service.logIn('ada')
    t.is((await mint(again.headers)).status, 403)
    const step = Math.floor(service.now() / 30) + 1
    t.false(await service.runtime.stores.secondFactors.useTotpStep(user.id, step))
    t.is(
      (await service.json('/login', { json: credentials('ada', app.recoveryCodes[0]) })).status,
      200,
    )
    await secondFactors.setRequired(actor, user.id, false)
    t.is((await mint(again.headers)).status, 200)
    const plain = { ...actor, user: { ...user } }
    await t.throwsAsync(secondFactors.reset(plain, admin.id), { message: /not allowed/ })
  },
)

onEachDatabaseAlone('what is done about second factors is in the audit log', async (t, service) => {
  const { person, app, logIn, user } = await start(service)
  t.deepEqual((await lastEntry(service, 'second_factor.added')).details, { kind: 'totp' })
  await logIn(app.next())
  t.deepEqual((await lastEntry(service, 'session.started')).details, { second_factor: 'totp' })
  const [code = ''] = app.recoveryCodes
  await service.json('/session/second-factor', { headers: person.headers, fields: { otp: code } })
  const proven = await lastEntry(service, 'second_factor.proven')
  t.deepEqual(proven.details, { kind: 'recovery_code' })
  t.is(proven.actor.id, user.id)
  const { secondFactors } = service.runtime.services
  await secondFactors.renewRecoveryCodes(await actorOf(service, person))
  t.is((await lastEntry(service, 'second_factor.codes_renewed')).userId, user.id)
  await secondFactors.removeTotp(await actorOf(service, person))
  t.deepEqual((await lastEntry(service, 'second_factor.removed')).details, { kind: 'totp' })
  await secondFactors.setRequired(operator, user.id, true)
  t.deepEqual((await lastEntry(service, 'second_factor.required')).details, { required: true })
  await secondFactors.reset(operator, user.id)
  t.is((await lastEntry(service, 'second_factor.reset')).actor.kind, 'operator')
  const rows = JSON.stringify(await service.runtime.db('audit_log'))
  t.false([app.secret, ...app.recoveryCodes].some((secret) => rows.includes(secret)))
})
