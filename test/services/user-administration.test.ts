import type { SessionActor } from '../../src/domain/actor.js'
import { operator } from '../../src/domain/actor.js'
import type { User } from '../../src/domain/user.js'
import { onEachDatabase } from '../helpers/with-service.js'

const actorOf = (user: User): SessionActor => ({
  kind: 'session',
  user,
  sessionId: 'x',
  secondFactorAt: null,
})

onEachDatabase('only administrators administer', async (t, service) => {
  const { userAdministration } = service.runtime.services
  const ada = await service.createUser('ada', 'editor')
  const grace = await service.createUser('grace')
  const actor = actorOf(ada)
  const details = { login: 'new', email: 'new@sample.org', role: 'subscriber' } as const
  await t.throwsAsync(userAdministration.create(actor, details), {
    code: 'rest_cannot_create_user',
  })
  for (const refused of [
    userAdministration.disable(actor, grace.id),
    userAdministration.enable(actor, grace.id),
    userAdministration.resetPassword(actor, grace.id),
  ]) {
    await t.throwsAsync(refused, { code: 'rest_forbidden_context' })
  }
})

onEachDatabase('nobody disables or resets themself', async (t, service) => {
  const { userAdministration } = service.runtime.services
  const root = await service.createUser('root', 'administrator')
  await service.createUser('other', 'administrator')
  await t.throwsAsync(userAdministration.disable(actorOf(root), root.id), {
    code: 'rest_user_is_self',
  })
  await t.throwsAsync(userAdministration.resetPassword(actorOf(root), root.id), {
    code: 'rest_user_is_self',
  })
})

onEachDatabase('the last active administrator stays', async (t, service) => {
  const { userAdministration } = service.runtime.services
  const root = await service.createUser('root', 'administrator')
  await t.throwsAsync(userAdministration.disable(operator, root.id), {
    code: 'rest_user_last_administrator',
  })
})

onEachDatabase('of two who disable one another at once, one stays', async (t, service) => {
  const { userAdministration } = service.runtime.services
  for (let round = 0; round < 10; round++) {
    const a = await service.createUser(`a${round}`, 'administrator')
    const b = await service.createUser(`b${round}`, 'administrator')
    const outcomes = await Promise.allSettled([
      userAdministration.disable(actorOf(a), b.id),
      userAdministration.disable(actorOf(b), a.id),
    ])
    t.is(outcomes.filter((outcome) => outcome.status === 'fulfilled').length, 1)
    for (const { id } of [a, b]) await service.runtime.services.users.disable(id)
  }
})

onEachDatabase('a reset names the administrator who revoked the key-pairs', async (t, service) => {
  const { userAdministration } = service.runtime.services
  const root = await service.createUser('root', 'administrator')
  const ada = await service.createUser('ada')
  await service.mint(ada.id)
  const { revoked, generatedPassword } = await userAdministration.resetPassword(
    actorOf(root),
    ada.id,
  )
  t.is(revoked, 1)
  t.is(generatedPassword?.length, 24)
  await service.logIn('ada', generatedPassword)
  const [pair] = await service.runtime.stores.keyPairs.listByUser(ada.id, { includeRevoked: true })
  t.is(pair?.revokedBy, root.id)
  t.is(pair?.revokedReason, 'password_changed')
})
