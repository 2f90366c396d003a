import type { ExecutionContext } from 'ava'
import { sessionLifetime } from '../../src/domain/session.js'
import { type ErrorCode, ServiceError } from '../../src/errors.js'
import { onEachDatabase, passwordOf } from '../helpers/with-service.js'

async function refuses(t: ExecutionContext, work: Promise<unknown>, code: ErrorCode) {
  const error = await t.throwsAsync<ServiceError>(work, { instanceOf: ServiceError })
  t.is(error.code, code)
}

const browser = { ip: '203.0.113.7', userAgent: 'test' }

onEachDatabase('a log-in is found by login, by e-mail and in any case', async (t, service) => {
  const { sessions } = service.runtime.services
  const { id } = await service.createUser('Ada')
  for (const name of ['Ada', 'ada', 'ADA@sample.ORG']) {
    const { user, token } = await sessions.logIn(name, passwordOf('Ada'), browser)
    t.is(user.id, id)
    t.is((await sessions.find(token))?.user.id, id)
  }
})

onEachDatabase('whoever does not know the password learns nothing', async (t, service) => {
  const { sessions, users } = service.runtime.services
  const { id } = await service.createUser('ada')
  const wrong = ['nobody', 'ada@nowhere.org', 'adá', 'ada ', '', '😀', '%', "' or 1=1 --"]
  for (const name of wrong) {
    await refuses(t, sessions.logIn(name, passwordOf('ada'), browser), 'incorrect_password')
  }
  await refuses(t, sessions.logIn('ada', 'wrong', browser), 'incorrect_password')
  await users.disable(id)
  await refuses(t, sessions.logIn('ada', 'wrong', browser), 'incorrect_password')
  await refuses(
    t,
    sessions.logIn('ada', passwordOf('ada'), browser),
    'rest_authentication_disabled_user',
  )
  t.true(await service.runtime.stores.sessions.isEmpty())
})

onEachDatabase('a session lives for fourteen days and not a second more', async (t, service) => {
  const { sessions, housekeeping } = service.runtime.services
  await service.createUser('ada')
  const { token } = await sessions.logIn('ada', passwordOf('ada'), browser)
  service.advance(sessionLifetime - 5)
  t.not(await sessions.find(token), undefined)
  service.advance(5)
  t.is(await sessions.find(token), undefined)
  t.false(await service.runtime.stores.sessions.isEmpty())
  await housekeeping.run()
  t.true(await service.runtime.stores.sessions.isEmpty())
})

onEachDatabase('the store holds no token of a session', async (t, service) => {
  await service.createUser('ada')
  const { token, nonce } = await service.runtime.services.sessions.logIn('ada', passwordOf('ada'), {
    ip: null,
    userAgent: 'x'.repeat(1000),
  })
  const rows = JSON.stringify(await service.runtime.db('sessions'))
  t.false(rows.includes(token) || rows.includes(nonce))
  t.false(service.log().includes(token))
})

for (const token of [
  '',
  'x',
  'x'.repeat(42),
  'x'.repeat(44),
  `${'x'.repeat(42)}é`,
  '%'.repeat(43),
]) {
  onEachDatabase(`${JSON.stringify(token)} is nobody’s session`, async (t, service) => {
    t.is(await service.runtime.services.sessions.find(token), undefined)
    await t.notThrowsAsync(service.runtime.services.sessions.logOut(token))
  })
}

onEachDatabase(
  'disabling ends sessions for good; enabling brings none back',
  async (t, service) => {
    const { sessions, users } = service.runtime.services
    const { id } = await service.createUser('ada')
    const { token } = await sessions.logIn('ada', passwordOf('ada'), browser)
    await users.disable(id)
    t.is(await sessions.find(token), undefined)
    await users.enable(id)
    t.is(await sessions.find(token), undefined)
  },
)
