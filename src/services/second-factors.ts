import { type Actor, canManage, type SessionActor } from '../domain/actor.js'
import { type AuditDetails, doneBy } from '../domain/audit.js'
import { encrypt } from '../domain/key-encryption.js'
import { verifyPassword } from '../domain/password.js'
import { hasSecondFactor, type SecondFactors } from '../domain/second-factor.js'
import { generateTotpSecret, totpStepOf, totpUri } from '../domain/totp.js'
import { isAdministrator, type User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import { endFactorsIfNone, replaceRecoveryCodes, startFactors } from './recovery-codes.js'
import {
  createSecondFactorProofs,
  type Proof,
  type ProofKind,
  type SecondFactorProofsDeps,
  totpName,
} from './second-factor-proofs.js'
import type { SecondFactorPolicy, StepUpRule } from './step-up.js'

/** A secret on its way into an authenticator app. */
export interface TotpOffer {
  /** Base32. */
  secret: string
  /** What the QR code says. */
  uri: string
}

export type { Proof, ProofKind } from './second-factor-proofs.js'

export interface SecondFactorService {
  /** What everybody is asked for. */
  policy: SecondFactorPolicy
  /** @throws {ServiceError} `rest_forbidden_context` unless the actor may manage this user. */
  view(actor: Actor, userId: number): Promise<SecondFactors>
  /**
   * Checks a second factor, and uses up what can be used once.
   *
   * @param holder Id of the session or the log-in that a passkey's challenge was made for.
   * @returns What it was.
   * @throws {ServiceError} `rest_authentication_invalid_second_factor`, `rest_too_many_attempts`.
   */
  prove(userId: number, holder: string, proof: Proof, address: string | null): Promise<ProofKind>
  /** The same, and remembers with the session when it was. @returns That moment. */
  stepUp(actor: SessionActor, proof: Proof, address: string | null): Promise<number>
  /** @throws {ServiceError} `rest_authentication_step_up_required` */
  assertSteppedUp(actor: SessionActor): Promise<void>
  /**
   * Lets somebody add a second factor: with the password if it is the first, else with another one.
   *
   * @throws {ServiceError} `rest_user_incorrect_password`, `rest_authentication_step_up_required`,
   *   `rest_too_many_attempts`.
   */
  assertMayAdd(actor: SessionActor, password: string, address: string | null): Promise<void>
  /** @throws {ServiceError} what `assertMayAdd` throws, and `rest_second_factor_exists`. */
  offerTotp(actor: SessionActor, password: string, address: string | null): Promise<TotpOffer>
  /** @returns What was offered, to show it again to whoever has seen it. */
  repeatOffer(actor: SessionActor, secret: string): Promise<TotpOffer>
  /**
   * @param secret As offered.
   * @returns Recovery codes, if this is the user's first second factor.
   * @throws {ServiceError} `rest_authentication_invalid_second_factor`,
   *   `rest_second_factor_offer_ended`, `rest_too_many_attempts`.
   */
  confirmTotp(
    actor: SessionActor,
    secret: string,
    code: string,
    address: string | null,
  ): Promise<string[] | undefined>
  /** @throws {ServiceError} `rest_authentication_step_up_required` */
  removeTotp(actor: SessionActor): Promise<void>
  /** The old ones are good no more. @throws {ServiceError} `…_step_up_required`, `…_missing`. */
  renewRecoveryCodes(actor: SessionActor): Promise<string[]>
  /** Takes away every second factor of one's own. @throws {ServiceError} `…_step_up_required`. */
  turnOff(actor: SessionActor): Promise<void>
  /**
   * Takes away every second factor of somebody who has lost them, and signs them out.
   *
   * @throws {ServiceError} `rest_forbidden_context`, `rest_user_is_self`, `rest_user_invalid_id`,
   *   `rest_authentication_step_up_required`.
   */
  reset(actor: Actor, userId: number): Promise<void>
  /** Whether this user's key-pairs can be minted without a second factor. */
  setRequired(actor: Actor, userId: number, isRequired: boolean): Promise<void>
}

export interface SecondFactorServiceDeps extends SecondFactorProofsDeps {
  audit: AuditTrail
  stepUpRule: StepUpRule
  policy: SecondFactorPolicy
  /** What apps call the service: the host of its address. */
  issuer: string
}

export function createSecondFactorService(deps: SecondFactorServiceDeps): SecondFactorService {
  const { stores, audit, limiter, stepUpRule, encryptionKey, policy, issuer, now } = deps

  const { prove, limited, decryptTotp } = createSecondFactorProofs(deps)
  const offerOf = (user: User, secret: string) => ({
    secret,
    uri: totpUri(secret, user.login, issuer),
  })

  /** @returns The secret as it is stored. */
  async function findOffer(userId: number, secret: string): Promise<string> {
    const totp = await stores.secondFactors.findTotp(userId)
    if (!totp || totp.isConfirmed || decryptTotp(userId, totp.secret) !== secret) {
      throw new ServiceError('rest_second_factor_offer_ended')
    }
    return totp.secret
  }

  async function assertSteppedUp(actor: Actor): Promise<void> {
    const refusal = await stepUpRule.refusal(stores, actor)
    if (refusal) throw new ServiceError(refusal)
  }

  async function assertPassword(user: User, password: string, address: string | null) {
    const credentials = await stores.users.findCredentials(user.login)
    await limiter.guard(`user:${user.id}`, address, async () => {
      if (await verifyPassword(credentials?.passwordHash, password)) return
      throw new ServiceError('rest_user_incorrect_password')
    })
  }

  async function assertMayAdd(actor: SessionActor, password: string, address: string | null) {
    if (hasSecondFactor(await stores.secondFactors.find(actor.user.id))) {
      await assertSteppedUp(actor)
    } else {
      await assertPassword(actor.user, password, address)
    }
  }

  function write(
    tx: Stores,
    actor: Actor,
    what: 'added' | 'removed' | 'reset' | 'proven' | 'codes_renewed' | 'required',
    userId: number,
    details: AuditDetails = {},
  ): Promise<void> {
    return audit.write(tx, { ...doneBy(actor), action: `second_factor.${what}`, userId, details })
  }

  async function removeAll(tx: Stores, userId: number): Promise<void> {
    await tx.secondFactors.removeTotp(userId)
    await tx.passkeys.removeAll(userId)
    await tx.secondFactors.replaceRecoveryCodes(userId, [])
    await tx.sessions.clearSecondFactorAt(userId)
  }

  /** For other users only: one's own factors are taken away with proof of them. */
  async function assertAdministers(actor: Actor, userId: number): Promise<void> {
    if (actor.kind === 'operator') return
    if (!isAdministrator(actor.user)) throw new ServiceError('rest_forbidden_context')
    if (actor.user.id === userId) throw new ServiceError('rest_user_is_self')
    await assertSteppedUp(actor)
  }

  return {
    policy,
    assertSteppedUp,
    assertMayAdd,

    async view(actor, userId) {
      if (!canManage(actor, userId)) throw new ServiceError('rest_forbidden_context')
      return stores.secondFactors.find(userId)
    },

    prove,

    async stepUp(actor, proof, address) {
      const { id } = actor.user
      const kind = await prove(id, actor.sessionId, proof, address)
      const at = now()
      const found = await stores.transaction(async (tx) => {
        if (!(await tx.sessions.setSecondFactorAt(actor.sessionId, at))) return false
        await write(tx, actor, 'proven', id, { kind })
        return true
      })
      if (!found) throw new ServiceError('rest_not_logged_in')
      return at
    },

    async offerTotp(actor, password, address) {
      await assertMayAdd(actor, password, address)
      const { user } = actor
      const secret = generateTotpSecret()
      const encrypted = encrypt(encryptionKey.orNew(), totpName(user.id), secret)
      if (!(await stores.secondFactors.offerTotp(user.id, encrypted))) {
        throw new ServiceError('rest_second_factor_exists')
      }
      return offerOf(user, secret)
    },

    async repeatOffer({ user }, secret) {
      await findOffer(user.id, secret)
      return offerOf(user, secret)
    },

    async confirmTotp(actor, secret, code, address) {
      const { id } = actor.user
      const encrypted = await findOffer(id, secret)
      const step = await limited(id, address, async () =>
        totpStepOf(secret, code.replace(/\s/g, ''), now()),
      )
      const outcome = await stores.transaction(async (tx) => {
        await tx.users.lock(id)
        const isFirst = !hasSecondFactor(await tx.secondFactors.find(id))
        const isConfirmed = await tx.secondFactors.confirmTotp(id, encrypted, step, now())
        if (!isConfirmed) return 'ended'
        await write(tx, actor, 'added', id, { kind: 'totp' })
        return isFirst ? startFactors(tx, actor, now()) : undefined
      })
      if (outcome === 'ended') throw new ServiceError('rest_second_factor_offer_ended')
      return outcome
    },

    async removeTotp(actor) {
      await assertSteppedUp(actor)
      const { id } = actor.user
      await stores.transaction(async (tx) => {
        await tx.users.lock(id)
        if (!(await tx.secondFactors.removeTotp(id))) return
        await endFactorsIfNone(tx, id)
        await write(tx, actor, 'removed', id, { kind: 'totp' })
      })
    },

    async renewRecoveryCodes(actor) {
      await assertSteppedUp(actor)
      const { id } = actor.user
      const codes = await stores.transaction(async (tx) => {
        await tx.users.lock(id)
        if (!hasSecondFactor(await tx.secondFactors.find(id))) return undefined
        await write(tx, actor, 'codes_renewed', id)
        return replaceRecoveryCodes(tx, id)
      })
      if (!codes) throw new ServiceError('rest_authentication_second_factor_missing')
      return codes
    },

    async turnOff(actor) {
      await assertSteppedUp(actor)
      await stores.transaction(async (tx) => {
        await tx.users.lock(actor.user.id)
        await removeAll(tx, actor.user.id)
        await write(tx, actor, 'removed', actor.user.id, { kind: 'all' })
      })
    },

    async reset(actor, userId) {
      await assertAdministers(actor, userId)
      const found = await stores.transaction(async (tx) => {
        if (!(await tx.users.lock(userId))) return false
        await removeAll(tx, userId)
        await tx.sessions.deleteByUser(userId)
        await write(tx, actor, 'reset', userId)
        return true
      })
      if (!found) throw new ServiceError('rest_user_invalid_id')
    },

    async setRequired(actor, userId, isRequired) {
      await assertAdministers(actor, userId)
      const found = await stores.transaction(async (tx) => {
        if (!(await tx.users.lock(userId))) return false
        await tx.secondFactors.setRequired(userId, isRequired)
        await write(tx, actor, 'required', userId, { required: isRequired })
        return true
      })
      if (!found) throw new ServiceError('rest_user_invalid_id')
    },
  }
}
