import { isIP } from 'node:net'
import type {
  AuthenticationResponseJSON,
  PublicKeyCredentialCreationOptionsJSON,
  PublicKeyCredentialRequestOptionsJSON,
  RegistrationResponseJSON,
} from '@simplewebauthn/server'
import type { SessionActor } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import {
  challengeLifetime,
  hasSecondFactor,
  maxPasskeyNameLength,
  maxPasskeys,
  type Passkey,
} from '../domain/second-factor.js'
import { textProblem } from '../domain/text.js'
import { invalidParameters, ServiceError } from '../errors.js'
import type { Stores } from '../store/index.js'
import type { AuditTrail } from './audit/trail.js'
import { endFactorsIfNone, startFactors } from './recovery-codes.js'

/** The part that checks a passkey as second factor. */
export interface PasskeyProofs {
  /**
   * Makes a challenge for the user's passkeys, good once and for five minutes.
   *
   * @param holder Id of the session or the log-in that the answer must come from.
   * @throws {ServiceError} `rest_passkey_not_found` if there is none.
   */
  challenge(userId: number, holder: string): Promise<PublicKeyCredentialRequestOptionsJSON>
  /** @param answer The browser's, as JSON. @returns Whether a passkey of the user has given it. */
  verify(userId: number, holder: string, answer: string): Promise<boolean>
}

export interface PasskeyService {
  proofs: PasskeyProofs
  /** Why browsers would not make passkeys for this service, or `undefined`. */
  problem: string | undefined
  list(actor: SessionActor): Promise<Passkey[]>
  /**
   * Asks for a new passkey. Whoever calls has seen to it that the actor may have one.
   *
   * @throws {ServiceError} `rest_passkeys_unavailable`, `rest_invalid_param`.
   */
  invite(actor: SessionActor): Promise<PublicKeyCredentialCreationOptionsJSON>
  /**
   * @param answer The browser's, as JSON.
   * @returns Recovery codes, if this is the user's first second factor.
   * @throws {ServiceError} `rest_passkey_refused`, `rest_invalid_param`.
   */
  add(actor: SessionActor, name: string, answer: string): Promise<string[] | undefined>
  /** Whoever calls has seen to it that the actor may. @throws {ServiceError} `rest_passkey_not_found` */
  remove(actor: SessionActor, id: number): Promise<void>
}

export interface PasskeyServiceDeps {
  stores: Stores
  audit: AuditTrail
  publicUrl: string
  /** Seconds since the Unix epoch. */
  now: () => number
}

// A fifth of a second and many megabytes, for what most processes never need: loaded when needed.
const webAuthn = () => import('@simplewebauthn/server')

const bytes = (base64url: string) => new Uint8Array(Buffer.from(base64url, 'base64url'))

export function createPasskeyService(deps: PasskeyServiceDeps): PasskeyService {
  const { stores, audit, publicUrl, now } = deps
  const { origin, hostname, protocol } = new URL(publicUrl)
  const problem = problemOf(protocol, hostname)

  /** Of several answers to one challenge, on whatever nodes, one is looked at. */
  async function take(
    purpose: 'register' | 'prove',
    userId: number,
    holder: string,
    answer: WebAuthnAnswer,
  ): Promise<string | undefined> {
    const challenge = challengeOf(answer)
    if (challenge === undefined) return undefined
    const isOpen = await stores.pendingProofs.takeChallenge(
      { challenge, userId, purpose, holder },
      now(),
    )
    return isOpen ? challenge : undefined
  }

  async function keep(
    challenge: string,
    purpose: 'register' | 'prove',
    userId: number,
    holder: string,
  ): Promise<void> {
    const expiresAt = now() + challengeLifetime
    await stores.pendingProofs.insertChallenge({ challenge, userId, purpose, holder, expiresAt })
  }

  const proofs: PasskeyProofs = {
    async challenge(userId, holder) {
      const passkeys = await stores.passkeys.listByUser(userId)
      // Without a list the browser would offer whatever it has.
      if (passkeys.length === 0) throw new ServiceError('rest_passkey_not_found')
      const options = await (await webAuthn()).generateAuthenticationOptions({
        rpID: hostname,
        allowCredentials: passkeys.map(descriptorOf),
        userVerification: 'preferred',
        timeout: challengeLifetime * 1000,
      })
      await keep(options.challenge, 'prove', userId, holder)
      return options
    },

    async verify(userId, holder, text) {
      const answer = parseAnswer(text)
      const expectedChallenge = answer && (await take('prove', userId, holder, answer))
      if (!expectedChallenge) return false
      const passkey = await stores.passkeys.findByCredential(userId, answer.id)
      if (!passkey) return false
      const { verifyAuthenticationResponse } = await webAuthn()
      const result = await verifyAuthenticationResponse({
        response: answer as unknown as AuthenticationResponseJSON,
        expectedChallenge,
        expectedOrigin: origin,
        expectedRPID: hostname,
        // The password came before: that it is there is enough.
        requireUserVerification: false,
        credential: {
          id: passkey.credentialId,
          publicKey: bytes(passkey.publicKey),
          counter: passkey.counter,
        },
        // What it throws is about the answer: nothing else goes in.
      }).catch(() => undefined)
      if (!result?.verified) return false
      return stores.passkeys.recordUse(passkey.id, result.authenticationInfo.newCounter, now())
    },
  }

  return {
    problem,
    proofs,

    list: ({ user }) => stores.passkeys.listByUser(user.id),

    async invite({ user, sessionId }) {
      if (problem) throw new ServiceError('rest_passkeys_unavailable', { message: problem })
      const passkeys = await stores.passkeys.listByUser(user.id)
      if (passkeys.length >= maxPasskeys) {
        throw invalidParameters({ passkey: `must be one of at most ${maxPasskeys}` })
      }
      const options = await (await webAuthn()).generateRegistrationOptions({
        rpName: 'Twinkey',
        rpID: hostname,
        userID: new Uint8Array(Buffer.from(`user:${user.id}`)),
        userName: user.login,
        userDisplayName: user.displayName,
        attestationType: 'none',
        excludeCredentials: passkeys.map(descriptorOf),
        authenticatorSelection: { residentKey: 'preferred', userVerification: 'preferred' },
        timeout: challengeLifetime * 1000,
      })
      await keep(options.challenge, 'register', user.id, sessionId)
      return options
    },

    async add(actor, typedName, text) {
      const { user, sessionId } = actor
      const name = typedName.trim()
      const nameProblem =
        name === '' ? 'must not be empty' : textProblem(name, maxPasskeyNameLength)
      if (nameProblem) throw invalidParameters({ name: nameProblem })
      const answer = parseAnswer(text)
      const expectedChallenge = answer && (await take('register', user.id, sessionId, answer))
      if (!expectedChallenge) throw new ServiceError('rest_passkey_refused')
      const { verifyRegistrationResponse } = await webAuthn()
      const result = await verifyRegistrationResponse({
        response: answer as unknown as RegistrationResponseJSON,
        expectedChallenge,
        expectedOrigin: origin,
        expectedRPID: hostname,
        requireUserVerification: false,
      }).catch(() => undefined)
      if (!result?.verified) throw new ServiceError('rest_passkey_refused')
      const { id, publicKey, counter } = result.registrationInfo.credential
      const outcome = await stores.transaction(async (tx) => {
        await tx.users.lock(user.id)
        const isFirst = !hasSecondFactor(await tx.secondFactors.find(user.id))
        const isNew = await tx.passkeys.insert({
          userId: user.id,
          credentialId: id,
          publicKey: Buffer.from(publicKey).toString('base64url'),
          counter,
          transports: transportsOf(answer.response.transports),
          name,
          createdAt: now(),
        })
        if (!isNew) return 'known'
        const event = { ...doneBy(actor), action: 'second_factor.added', userId: user.id } as const
        await audit.write(tx, { ...event, details: { kind: 'passkey', name } })
        return isFirst ? startFactors(tx, actor, now()) : undefined
      })
      if (outcome === 'known') throw new ServiceError('rest_passkey_refused')
      return outcome
    },

    async remove(actor, id) {
      const { user } = actor
      const removed = await stores.transaction(async (tx) => {
        await tx.users.lock(user.id)
        if (!(await tx.passkeys.remove(user.id, id))) return false
        await endFactorsIfNone(tx, user.id)
        const event = {
          ...doneBy(actor),
          action: 'second_factor.removed',
          userId: user.id,
        } as const
        await audit.write(tx, { ...event, details: { kind: 'passkey' } })
        return true
      })
      if (!removed) throw new ServiceError('rest_passkey_not_found')
    },
  }
}

/** Passkeys belong to a name, and browsers have them in secure contexts only (WebAuthn, section 5). */
function problemOf(protocol: string, hostname: string): string | undefined {
  if (isIP(hostname.replace(/^\[|\]$/g, ''))) {
    return 'Passkeys need a host name: this service is reached by an IP address.'
  }
  const isLocal = hostname === 'localhost' || hostname.endsWith('.localhost')
  return protocol === 'https:' || isLocal ? undefined : 'Passkeys need https.'
}

const descriptorOf = ({ credentialId, transports }: Passkey) => ({ id: credentialId, transports })

/** As much of the browser's answer as is looked at here; the rest is the library's to check. */
interface WebAuthnAnswer {
  id: string
  response: Record<string, unknown>
}

function parseAnswer(text: string): WebAuthnAnswer | undefined {
  const answer = parseObject(text)
  const { id, response } = answer ?? {}
  if (typeof id !== 'string' || typeof response !== 'object' || response === null) return undefined
  return answer as unknown as WebAuthnAnswer
}

function challengeOf({ response }: WebAuthnAnswer): string | undefined {
  const { clientDataJSON } = response
  if (typeof clientDataJSON !== 'string') return undefined
  const challenge = parseObject(Buffer.from(clientDataJSON, 'base64url').toString())?.challenge
  return typeof challenge === 'string' && /^[\w-]{1,64}$/.test(challenge) ? challenge : undefined
}

function parseObject(text: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
  } catch {
    return undefined
  }
}

/** The browser's own words, kept to be given back to it. */
function transportsOf(value: unknown): string[] {
  const known = ['ble', 'cable', 'hybrid', 'internal', 'nfc', 'smart-card', 'usb']
  return Array.isArray(value) ? known.filter((name) => value.includes(name)) : []
}
