import { generateSecret, generateURI, verifySync } from 'otplib'

/** Seconds for which a code is shown; what every authenticator app assumes. */
export const totpPeriod = 30

/** @returns 160 random bits in base32, as authenticator apps take them. */
export function generateTotpSecret(): string {
  return generateSecret()
}

/** @returns What the QR code says. @param label Tells the user's accounts in the app apart. */
export function totpUri(secret: string, label: string, issuer: string): string {
  return generateURI({ secret, label, issuer })
}

/**
 * Looks for a code among those of the moment, of the period before (people type slowly) and of the one
 * after (clocks differ).
 *
 * @param at Seconds since the Unix epoch.
 * @returns The time step of the code, or `undefined` if it is none of them. It is for the caller to see
 *   that no step is used twice (RFC 6238, section 5.2).
 */
export function totpStepOf(secret: string, code: string, at: number): number | undefined {
  if (!/^\d{6}$/.test(code)) return undefined
  const result = verifySync({ secret, token: code, epoch: at, epochTolerance: totpPeriod })
  return result.valid && 'timeStep' in result ? result.timeStep : undefined
}
