import type { SessionActor } from '../domain/actor.js'
import {
  generateRecoveryCode,
  hashRecoveryCode,
  hasSecondFactor,
  recoveryCodeCount,
} from '../domain/second-factor.js'
import type { Stores } from '../store/index.js'

/** @returns New codes, to be shown once; the old ones are good no more. */
export async function replaceRecoveryCodes(tx: Stores, userId: number): Promise<string[]> {
  const codes = Array.from({ length: recoveryCodeCount }, generateRecoveryCode)
  const hashes = codes.flatMap((code) => hashRecoveryCode(userId, code) ?? [])
  await tx.secondFactors.replaceRecoveryCodes(userId, hashes)
  return codes
}

/**
 * What comes with a user's first second factor: recovery codes, and the session that has just set it up
 * has proven it. Others that were open have not.
 */
export async function startFactors(
  tx: Stores,
  actor: SessionActor,
  now: number,
): Promise<string[]> {
  await tx.sessions.clearSecondFactorAt(actor.user.id)
  await tx.sessions.setSecondFactorAt(actor.sessionId, now)
  return replaceRecoveryCodes(tx, actor.user.id)
}

/** Recovery codes without a factor that they stand in for would be one themselves. */
export async function endFactorsIfNone(tx: Stores, userId: number): Promise<void> {
  if (hasSecondFactor(await tx.secondFactors.find(userId))) return
  await tx.secondFactors.replaceRecoveryCodes(userId, [])
  await tx.sessions.clearSecondFactorAt(userId)
}
