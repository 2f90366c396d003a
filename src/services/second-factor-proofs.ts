import { decrypt } from '../domain/key-encryption.js'
import { hashRecoveryCode } from '../domain/second-factor.js'
import { totpStepOf } from '../domain/totp.js'
import { ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { LoginLimiter } from './login-limiter.js'
import type { PasskeyProofs } from './passkeys.js'
import type { EncryptionKey } from './signing-keys.js'

/** What somebody shows as second factor: a code of an app or of the recovery codes, or a passkey. */
export type Proof =
  | { otp: string }
  /** The browser's answer to a challenge, as JSON; and who was asked. */
  | { passkey: string }

export type ProofKind = 'totp' | 'recovery_code' | 'passkey'

/** What the secret of a user's app is encrypted for. */
export const totpName = (userId: number) => `totp:${userId}`

export interface SecondFactorProofsDeps {
  stores: Stores
  limiter: LoginLimiter
  passkeyProofs: PasskeyProofs
  encryptionKey: EncryptionKey
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** Checks what somebody shows as second factor, and uses up what can be used once. */
export function createSecondFactorProofs(deps: SecondFactorProofsDeps) {
  const { stores, limiter, passkeyProofs, encryptionKey, now } = deps

  function decryptTotp(userId: number, encrypted: string): string {
    const key = encryptionKey.existing()
    if (!key) throw new Error('The key that encrypts what is in the database is missing.')
    return decrypt(key, totpName(userId), encrypted)
  }

  async function proveCode(userId: number, typed: string): Promise<ProofKind | undefined> {
    const code = typed.replace(/\s/g, '')
    if (!/^\d{6}$/.test(code)) {
      const hash = hashRecoveryCode(userId, typed)
      const isGood =
        hash !== undefined && (await stores.secondFactors.useRecoveryCode(userId, hash, now()))
      return isGood ? 'recovery_code' : undefined
    }
    const totp = await stores.secondFactors.findTotp(userId)
    if (!totp?.isConfirmed) return undefined
    const step = totpStepOf(decryptTotp(userId, totp.secret), code, now())
    const isGood = step !== undefined && (await stores.secondFactors.useTotpStep(userId, step))
    return isGood ? 'totp' : undefined
  }

  /** Failures of the second factor are counted apart from those of the password. */
  function limited<T>(
    userId: number,
    address: string | null,
    attempt: () => Promise<T | undefined>,
  ): Promise<T> {
    return limiter.guard(`second-factor:${userId}`, address, async () => {
      const result = await attempt()
      if (result !== undefined) return result
      throw new ServiceError('rest_authentication_invalid_second_factor')
    })
  }

  function prove(userId: number, holder: string, proof: Proof, address: string | null) {
    return limited<ProofKind>(userId, address, async () => {
      if ('otp' in proof) return proveCode(userId, proof.otp)
      const isGood = await passkeyProofs.verify(userId, holder, proof.passkey)
      return isGood ? 'passkey' : undefined
    })
  }

  return { prove, limited, decryptTotp }
}
