import { type Actor, actorUserId } from '../../domain/actor.js'
import type { Events } from '../../hooks.js'
import type { KeyPairService, MintedKeyPair } from '../key-pairs.js'
import type { UserAdministration } from '../user-administration.js'
import type { UserService } from '../users.js'
import type { Emitter } from './actions.js'

// The services as they are, and word of what they did. It is given when a call has come back: what it
// changed has been committed by then.

interface Deps {
  emitter: Emitter
  /** Seconds since the Unix epoch. */
  now: () => number
}

const by = (actor: Actor | undefined) => (actor ? actorUserId(actor) : null)

export function withKeyPairActions(
  service: KeyPairService,
  { emitter, now }: Deps,
): KeyPairService {
  const { emit } = emitter

  function revoked(event: Omit<Events['keyPairRevoked'], 'at'>): void {
    if (event.count > 0) emit('keyPairRevoked', { at: now(), ...event })
  }

  function describe(actor: Actor | undefined, { keyPair }: Pick<MintedKeyPair, 'keyPair'>) {
    const { userId, apiKey, name } = keyPair
    return { at: now(), userId, apiKey, name, by: by(actor) }
  }

  return {
    ...service,
    async mint(actor, ...rest) {
      const minted = await service.mint(actor, ...rest)
      emit('keyPairMinted', describe(actor, minted))
      return minted
    },
    async rename(actor, ...rest) {
      const keyPair = await service.rename(actor, ...rest)
      emit('keyPairChanged', describe(actor, { keyPair }))
      return keyPair
    },
    async change(actor, ...rest) {
      const keyPair = await service.change(actor, ...rest)
      emit('keyPairChanged', describe(actor, { keyPair }))
      return keyPair
    },
    async rotate(actor, ...rest) {
      const rotated = await service.rotate(actor, ...rest)
      emit('keyPairRotated', describe(actor, rotated))
      return rotated
    },
    async revoke(actor, userId, apiKey) {
      const hasRevoked = await service.revoke(actor, userId, apiKey)
      const count = hasRevoked ? 1 : 0
      revoked({ userId, apiKey, count, reason: 'revoked', by: by(actor) })
      return hasRevoked
    },
    async surrender(keyPair) {
      const { user, apiKey } = keyPair
      const hasRevoked = await service.surrender(keyPair)
      const count = hasRevoked ? 1 : 0
      revoked({ userId: user.id, apiKey, count, reason: 'revoked', by: user.id })
      return hasRevoked
    },
    async revokeAll(actor, userId) {
      const count = await service.revokeAll(actor, userId)
      revoked({ userId, apiKey: undefined, count, reason: 'revoked_all', by: by(actor) })
      return count
    },
  }
}

export function withUserActions(service: UserService, { emitter, now }: Deps): UserService {
  function changed(
    userId: number,
    change: Events['userChanged']['change'],
    who: number | null,
  ): void {
    emitter.emit('userChanged', { at: now(), userId, change, by: who })
  }

  function passwordChanged(userId: number, count: number, who: number | null): void {
    changed(userId, 'password_changed', who)
    if (count === 0) return
    const event = { at: now(), userId, apiKey: undefined, count, by: who }
    emitter.emit('keyPairRevoked', { ...event, reason: 'password_changed' })
  }

  return {
    ...service,
    async create(details, actor) {
      const user = await service.create(details, actor)
      changed(user.id, 'created', by(actor))
      return user
    },
    async changePassword(user, ...rest) {
      const count = await service.changePassword(user, ...rest)
      passwordChanged(user.id, count, user.id)
      return count
    },
    async resetPassword(userId, newPassword, actor) {
      const count = await service.resetPassword(userId, newPassword, actor)
      passwordChanged(userId, count, by(actor))
      return count
    },
    async disable(userId, actor) {
      await service.disable(userId, actor)
      changed(userId, 'disabled', by(actor))
    },
    async enable(userId, actor) {
      await service.enable(userId, actor)
      changed(userId, 'enabled', by(actor))
    },
    async setExpiry(userId, expiresAt, actor) {
      await service.setExpiry(userId, expiresAt, actor)
      changed(userId, 'expiry_changed', by(actor))
    },
    async delete(userId, actor) {
      await service.delete(userId, actor)
      changed(userId, 'deleted', by(actor))
    },
  }
}

/** What the users' service does for it, that one says already. */
export function withAdministrationActions(
  service: UserAdministration,
  { emitter, now }: Deps,
): UserAdministration {
  return {
    ...service,
    async disable(actor, userId) {
      await service.disable(actor, userId)
      emitter.emit('userChanged', { at: now(), userId, change: 'disabled', by: by(actor) })
    },
  }
}
