import { isCurrent, type PresentedToken, readClaims } from '../domain/access-token.js'
import { operator } from '../domain/actor.js'
import type { KeyPair } from '../domain/key-pair.js'
import type { User } from '../domain/user.js'
import { ServiceError } from '../errors.js'
import type { Services } from '../services/index.js'
import { duration, fields, isoTime, time } from './text.js'

/** A token, explained: what it says, what became of those it names, and what follows. */
export interface Inspection {
  /** `undefined` if it cannot even be read. */
  token: PresentedToken | undefined
  /** Whether `token` is more than a claim. */
  isSigned: boolean
  /** The user it names, as of now. */
  user: User | undefined
  /** The key-pair it was made from, as of now. */
  keyPair: KeyPair | undefined
  refusal: { code: string; reason: string } | undefined
  now: number
}

export interface InspectionDeps {
  services: Pick<Services, 'tokens' | 'users' | 'keyPairs'>
  /** The issuer of our own tokens. */
  issuer: string
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** @param typed A token as it was pasted: `Authorization` headers are understood too. */
export async function inspect(typed: string, deps: InspectionDeps): Promise<Inspection> {
  const { services, issuer } = deps
  const now = deps.now()
  const text = typed.trim().replace(/^(Authorization:\s*)?Bearer\s+/i, '')
  const { token: verified, refusal } = await services.tokens.inspect(text)
  const token = verified ?? (await readUnverified(text))
  const user = token?.userId === undefined ? undefined : await findUser(services, token.userId)
  const keyPairs = user
    ? await services.keyPairs.list(operator, user.id, { includeRevoked: true })
    : []
  const facts = {
    token,
    isSigned: verified !== undefined,
    user,
    keyPair: keyPairs.find((keyPair) => keyPair.apiKey === token?.apiKey),
    now,
  }
  return {
    ...facts,
    refusal: refusal && { code: refusal.code, reason: explain(refusal, facts, issuer) },
  }
}

/** What it claims to be. Useful to see which installation it came from, and to nothing else. */
async function readUnverified(text: string): Promise<PresentedToken | undefined> {
  const { decodeJwt } = await import('jose')
  try {
    return readClaims(decodeJwt(text))
  } catch {
    // It is no JWT at all.
    return undefined
  }
}

async function findUser(
  { users }: Pick<Services, 'users'>,
  userId: number,
): Promise<User | undefined> {
  try {
    return await users.view(operator, userId)
  } catch (error) {
    if (error instanceof ServiceError && error.code === 'rest_user_invalid_id') return undefined
    throw error
  }
}

function explain(
  refusal: ServiceError,
  { token, isSigned, user, keyPair, now }: Omit<Inspection, 'refusal'>,
  issuer: string,
): string {
  switch (refusal.code) {
    case 'rest_authentication_token_error':
      if (!token) return 'it is not a JSON Web Token.'
      if (!isSigned) {
        return 'its signature is not by this service: another secret signed it, or it was altered.'
      }
      return isCurrent({ ...token, expiresAt: undefined }, now)
        ? 'it has expired.'
        : 'it is not valid yet: the clock of the machine that issued it is ahead of this one.'
    case 'rest_authentication_invalid_token_issuer':
      return `its issuer is not this service, which is ${issuer} (PUBLIC_URL).`
    case 'rest_authentication_invalid_token_wp_user':
      return user ? `the user ${user.login} is disabled.` : 'its user does not exist (any more).'
    case 'rest_authentication_invalid_token_user_login':
      return 'its user has another login now.'
    case 'rest_authentication_invalid_token_user_email':
      return 'its user has another e-mail address now.'
    case 'rest_authentication_revoked_api_key':
      return keyPair?.revokedAt
        ? `its key-pair was revoked${revocations[keyPair.revokedReason ?? 'revoked']}.`
        : 'its key-pair does not exist (any more).'
    default:
      return refusal.message
  }
}

const revocations = {
  revoked: '',
  revoked_all: ', with all others of the user',
  password_changed: " when the user's password was changed",
}

export function inspectionData({ token, isSigned, user, keyPair, refusal, now }: Inspection) {
  const iso = (seconds: number | null | undefined) => (seconds == null ? null : isoTime(seconds))
  return {
    valid: refusal === undefined,
    ...(refusal && { code: refusal.code, reason: sentence(refusal.reason) }),
    signature: isSigned,
    type: token ? typeOf(token) : null,
    issuer: token?.issuer ?? null,
    user: token
      ? {
          id: token.userId ?? null,
          user_login: token.login ?? null,
          user_email: token.email ?? null,
          status: user?.status ?? null,
        }
      : null,
    api_key: token?.apiKey ?? null,
    key_pair: keyPair ? { name: keyPair.name, revoked_at: iso(keyPair.revokedAt) } : null,
    issued_at: iso(token?.issuedAt),
    expires_at: iso(token?.expiresAt),
    expires_in: token?.expiresAt === undefined ? null : Math.max(0, token.expiresAt - now),
  }
}

export function inspectionText({
  token,
  isSigned,
  user,
  keyPair,
  refusal,
  now,
}: Inspection): string {
  const verdict = refusal ? `Refused: ${refusal.reason}` : 'Good: it would be accepted.'
  if (!token) return `${verdict}\n`
  const type = typeOf(token)
  const uses = {
    access: 'access token: authenticates requests',
    refresh: 'refresh token: can be exchanged for new tokens, authenticates nothing',
  }
  return `${verdict}\n${isSigned ? '' : 'What follows is what it claims; nobody vouches for it.\n'}\n${fields(
    [
      ['What', uses[type]],
      [
        'Whose',
        `${token.login ?? 'nobody'} <${token.email ?? ''}>, id ${token.userId ?? 'missing'}${user ? '' : ' (no such user)'}`,
      ],
      ['Key-pair', `${token.apiKey ?? 'none'}${keyPair ? ` "${keyPair.name}"` : ''}`],
      ...(keyPair?.revokedAt ? [['Revoked', moment(keyPair.revokedAt, now)] as const] : []),
      ['Issuer', token.issuer ?? 'none'],
      ['Issued', moment(token.issuedAt, now)],
      ['Expires', moment(token.expiresAt, now)],
    ],
  )}`
}

function typeOf(token: PresentedToken): 'access' | 'refresh' {
  return token.tokenType === 'refresh' ? 'refresh' : 'access'
}

function moment(at: number | undefined, now: number): string {
  if (at === undefined) return 'not said'
  return at >= now
    ? `${time(at)}, in ${duration(at - now)}`
    : `${time(at)}, ${duration(now - at)} ago`
}

function sentence(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1)
}
