import { createHash } from 'node:crypto'
import { calendarTime } from '../../domain/calendar.js'
import type { Device } from '../../domain/device.js'
import type { KeyPair } from '../../domain/key-pair.js'
import type { Confirmation } from '../../domain/node.js'
import type { RegisteredToken } from '../../domain/registered-token.js'
import { offlineAccess } from '../../domain/scope.js'
import type { User } from '../../domain/user.js'
import type { IssuedTokens } from '../../services/tokens.js'

// The presenters are the only way from our data to an answer, so nothing gets out by spreading a row.

/** WordPress's `F j, Y g:i a`, in UTC: `November 22, 2026 3:19 am`; `—` for never. */
export function displayTime(seconds: number | null): string {
  if (seconds === null) return '—'
  const { day, month, year, hours, minutes } = calendarTime(seconds)
  const time = `${hours % 12 || 12}:${String(minutes).padStart(2, '0')}`
  return `${month} ${day}, ${year} ${time} ${hours < 12 ? 'am' : 'pm'}`
}

/** @param mayName Whether the reader may know what the nodes are called. */
export function presentConfirmation(confirmation: Confirmation, mayName: boolean) {
  const { nodes, refusing, slowestMicros, silent } = confirmation
  return {
    nodes,
    refusing,
    slowest_ms: slowestMicros / 1000,
    silent: silent.map(({ name, silentMs }) => ({
      ...(mayName && { name }),
      seconds: Math.round(silentMs / 1000),
    })),
  }
}

/** The row that the plugin's profile script puts into its table. */
export function presentKeyPair(keyPair: KeyPair) {
  return {
    name: keyPair.name,
    api_key: keyPair.apiKey,
    created: displayTime(keyPair.createdAt),
    last_used: displayTime(keyPair.lastUsedAt),
    last_ip: keyPair.lastIp ?? '—',
    ...(keyPair.revokedAt !== null && { revoked: displayTime(keyPair.revokedAt) }),
    ...presentPolicy(keyPair),
  }
}

/** Only what is set: the plugin's script knows no more than the row above. Times are in seconds. */
function presentPolicy({ expiresAt, scopes, networks, description, ...keyPair }: KeyPair) {
  const { previousSecret } = keyPair
  return {
    ...(description !== '' && { description }),
    ...(expiresAt !== null && { expires_at: expiresAt }),
    ...(scopes !== null && { scopes }),
    ...(networks !== null && { networks }),
    ...(keyPair.requireDevice && { require_device: true }),
    ...(previousSecret && {
      secrets: [
        { status: 'current', last_used: displayTime(keyPair.secretUsedAt) },
        {
          status: 'previous',
          last_used: displayTime(previousSecret.usedAt),
          expires_at: previousSecret.expiresAt,
        },
      ],
    }),
  }
}

export function presentDevice(device: Device) {
  const { incident } = device
  return {
    id: device.id,
    name: device.name,
    created: displayTime(device.createdAt),
    last_used: displayTime(device.lastUsedAt),
    last_ip: device.lastIp ?? '—',
    user_agent: device.userAgent ?? '—',
    expires_at: device.expiresAt,
    ...(device.endedAt !== null && {
      signed_out: displayTime(device.endedAt),
      reason: device.endedReason,
    }),
    ...(incident && {
      incident: {
        at: displayTime(incident.at),
        ip: incident.ip ?? '—',
        issued_ip: incident.issuedIp ?? '—',
      },
    }),
  }
}

export function presentRegisteredToken(token: RegisteredToken) {
  return {
    jti: token.tokenId,
    description: token.description,
    ...(token.device !== null && { device: token.device }),
    created: displayTime(token.issuedAt),
    expires_at: token.expiresAt,
    last_used: displayTime(token.lastUsedAt),
    last_ip: token.lastIp ?? '—',
    ...(token.revokedAt !== null && { revoked: displayTime(token.revokedAt) }),
  }
}

export function presentTokens(tokens: IssuedTokens) {
  // Only OAuth has to ask for refreshing.
  const scopes = tokens.scopes.filter((scope) => scope !== offlineAccess)
  return {
    access_token: tokens.accessToken,
    data: { user: presentUserClaim(tokens) },
    exp: tokens.expiresIn,
    ...(tokens.refreshToken !== undefined && { refresh_token: tokens.refreshToken }),
    ...(scopes.length > 0 && { scope: scopes.join(' ') }),
    ...(tokens.registration && { jti: tokens.registration.tokenId }),
  }
}

/** Whose tokens they are, as the tokens themselves say it. */
export function presentUserClaim({ user, apiKey }: Pick<IssuedTokens, 'user' | 'apiKey'>) {
  return {
    id: user.id,
    type: 'wp_user',
    user_login: user.login,
    user_email: user.email,
    api_key: apiKey,
  }
}

/** `view` is what WordPress shows to anyone who may see the user; `edit` adds the private fields. */
export type UserContext = 'view' | 'embed' | 'edit'

export function presentUser(user: User, publicUrl: string, context: UserContext = 'view') {
  const self = `${publicUrl}/wp-json/wp/v2/users/${user.id}`
  return {
    id: user.id,
    ...(context === 'edit' && {
      username: user.login,
      email: user.email,
      first_name: user.firstName,
      last_name: user.lastName,
      roles: user.roles,
      ...(user.expiresAt !== null && { expires_at: user.expiresAt }),
      registered_date: new Date(user.createdAt * 1000).toISOString().replace('.000Z', '+00:00'),
    }),
    name: user.displayName,
    url: '',
    description: '',
    link: `${publicUrl}/author/${user.nicename}/`,
    slug: user.nicename,
    avatar_urls: avatarUrls(user.email),
    meta: [],
    _links: { self: [{ href: self }], collection: [{ href: `${publicUrl}/wp-json/wp/v2/users` }] },
  }
}

/** Gravatar's addresses, as WordPress gives them. They are only ever text here: nobody is called. */
function avatarUrls(email: string): Record<string, string> {
  const hash = createHash('sha256').update(email.trim().toLowerCase()).digest('hex')
  const url = (size: number) => `https://secure.gravatar.com/avatar/${hash}?s=${size}&d=mm&r=g`
  return { 24: url(24), 48: url(48), 96: url(96) }
}
