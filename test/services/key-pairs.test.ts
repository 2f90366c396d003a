import type { ExecutionContext } from 'ava'
import { operator, type SessionActor } from '../../src/domain/actor.js'
import { isWellFormedSecret } from '../../src/domain/key-pair.js'
import { type ErrorCode, ServiceError } from '../../src/errors.js'
import { onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'

async function refuses(t: ExecutionContext, work: Promise<unknown>, code: ErrorCode) {
  const error = await t.throwsAsync<ServiceError>(work, { instanceOf: ServiceError })
  t.is(error.code, code)
}

const browser = { ip: '203.0.113.7', userAgent: 'test' }

async function actorOf({ runtime }: Service, login: string): Promise<SessionActor> {
  const { sessions } = runtime.services
  const { token } = await sessions.logIn(login, passwordOf(login), browser)
  const actor = await sessions.find(token)
  if (!actor) throw new Error('no session')
  return actor
}

onEachDatabase('a minted pair is shown once, and kept as hashes', async (t, service) => {
  const { keyPairs } = service.runtime.services
  const { id } = await service.createUser('ada')
  const { keyPair, apiSecret } = await keyPairs.mint(operator, id, '  as typed 🗝 ')
  t.true(isWellFormedSecret(apiSecret))
  t.like(keyPair, { userId: id, name: '  as typed 🗝 ', createdAt: keyPair.createdAt })
  t.true(Math.abs(keyPair.createdAt - service.now()) <= 1)
  const rows = JSON.stringify(await service.runtime.db('key_pairs'))
  t.true(rows.includes(keyPair.apiKey))
  t.false(rows.includes(apiSecret) || rows.includes(apiSecret.slice(4, 44)))
  t.false(service.log().includes(apiSecret))
})

onEachDatabase(
  'a session that has ended mints nothing, though it was there a moment ago',
  async (t, service) => {
    const { keyPairs, sessions, users } = service.runtime.services
    const ada = await service.createUser('ada')
    const { token } = await sessions.logIn('ada', passwordOf('ada'), browser)
    const loggedOut = await sessions.find(token)
    await sessions.logOut(token)
    await refuses(t, keyPairs.mint(loggedOut, ada.id, 'Late'), 'rest_not_logged_in')

    const changed = await actorOf(service, 'ada')
    await users.changePassword(ada, passwordOf('ada'), 'another-pass')
    await refuses(t, keyPairs.mint(changed, ada.id, 'Late'), 'rest_not_logged_in')

    await service.createUser('bob')
    const disabled = await actorOf(service, 'bob')
    await users.disable(disabled.user.id)
    await refuses(t, keyPairs.mint(disabled, disabled.user.id, 'Late'), 'rest_not_logged_in')

    await users.delete(disabled.user.id)
    await refuses(
      t,
      keyPairs.mint(disabled, disabled.user.id, 'Late'),
      'rest_authentication_invalid_user_error',
    )
    t.is((await service.runtime.db('key_pairs')).length, 0)
  },
)

onEachDatabase('one key that a form asks for twice at once is minted once', async (t, service) => {
  const { keyPairs } = service.runtime.services
  const { id } = await service.createUser('ada')
  for (let round = 0; round < 10; round++) {
    const outcomes = await Promise.allSettled(
      [1, 2, 3, 4].map(() => keyPairs.mint(operator, id, 'Form', { apiKey: `${id}form${round}` })),
    )
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected')
    t.is(refused.length, 3)
    for (const { reason } of refused)
      t.is(reason.code, 'rest_key_pair_already_minted', String(reason))
  }
  t.is((await keyPairs.list(operator, id)).length, 10)
})

onEachDatabase(
  'who may not manage a user learns nothing and changes nothing',
  async (t, service) => {
    const { keyPairs } = service.runtime.services
    const { id } = await service.createUser('ada')
    await service.createUser('eve', 'editor')
    const { api_key } = await service.mint(id)
    const code = 'rest_authentication_edit_user_error'
    for (const actor of [undefined, await actorOf(service, 'eve')]) {
      await refuses(t, keyPairs.mint(actor, id, 'Mine'), code)
      await refuses(t, keyPairs.list(actor, id), code)
      await refuses(t, keyPairs.rename(actor, id, api_key, 'Mine'), code)
      await refuses(t, keyPairs.revoke(actor, id, api_key), code)
      await refuses(t, keyPairs.revokeAll(actor, id), code)
      await refuses(t, keyPairs.list(actor, 999_999), code)
    }
    t.like((await keyPairs.list(operator, id))[0], {
      apiKey: api_key,
      name: 'Test',
      revokedAt: null,
    })
  },
)

onEachDatabase('a revocation remembers who, when and why', async (t, service) => {
  const { keyPairs, users } = service.runtime.services
  const ada = await service.createUser('ada')
  const admin = await service.createUser('admin', 'administrator')
  const actor = await actorOf(service, 'admin')
  const [one, two, three, four] = await Promise.all([1, 2, 3, 4].map(() => service.mint(ada.id)))
  service.advance(100)
  t.true(await keyPairs.revoke(actor, ada.id, one?.api_key ?? ''))
  t.false(await keyPairs.revoke(actor, ada.id, one?.api_key ?? ''))
  t.false(await keyPairs.revoke(actor, admin.id, two?.api_key ?? ''), 'not that user’s')
  t.true(await keyPairs.revoke(operator, ada.id, two?.api_key ?? ''))
  await keyPairs.rename(operator, ada.id, three?.api_key ?? '', 'Renamed')
  t.is(await keyPairs.revokeAll(actor, ada.id), 2)
  const last = await service.mint(ada.id)
  await users.changePassword(ada, passwordOf('ada'), 'another-pass')

  const found = async (apiKey = '') => keyPairs.find(operator, ada.id, apiKey)
  const now = service.now()
  const about = async (apiKey: string | undefined) => {
    const { revokedAt, revokedBy, revokedReason } = await found(apiKey)
    t.true(Math.abs((revokedAt ?? 0) - now) <= 5)
    return [revokedBy, revokedReason]
  }
  t.deepEqual(await about(one?.api_key), [admin.id, 'revoked'])
  t.deepEqual(await about(two?.api_key), [null, 'revoked'])
  t.deepEqual(await about(three?.api_key), [admin.id, 'revoked_all'])
  t.deepEqual(await about(four?.api_key), [admin.id, 'revoked_all'])
  t.deepEqual(await about(last.api_key), [ada.id, 'password_changed'])
  t.is((await found(three?.api_key)).name, 'Renamed')
})

onEachDatabase('a name must be there, be text, and fit', async (t, service) => {
  const { keyPairs } = service.runtime.services
  const { id } = await service.createUser('ada')
  for (const name of ['', ' ', '\t\n ']) {
    await refuses(t, keyPairs.mint(operator, id, name), 'rest_authentication_required_name_error')
  }
  for (const name of ['a\0', 'a\uFFFD', '\uD800', 'x'.repeat(256), '😀'.repeat(256)]) {
    await refuses(t, keyPairs.mint(operator, id, name), 'rest_invalid_param')
  }
  await t.notThrowsAsync(keyPairs.mint(operator, id, '😀'.repeat(255)))
  await refuses(t, keyPairs.mint(operator, 999_999, 'x'), 'rest_authentication_invalid_user_error')
})
