import { createHash, createHmac, hkdfSync, randomBytes, timingSafeEqual } from 'node:crypto'
import type { Asker } from './actor.js'
import { nowhere, type Origin } from './origin.js'
import type { User } from './user.js'

/** All that the audit log can say has happened. */
export const auditActions = [
  'key_pair.minted',
  'key_pair.renamed',
  'key_pair.changed',
  'key_pair.rotated',
  'key_pair.revoked',
  'device.signed_out',
  'token.exchanged',
  'token.refreshed',
  'token.registered',
  'token.revoked',
  'request.refused',
  'session.started',
  'session.ended',
  'login.refused',
  'user.created',
  'user.disabled',
  'user.enabled',
  'user.expiry_changed',
  'user.deleted',
  'user.password_changed',
  'second_factor.added',
  'second_factor.removed',
  'second_factor.reset',
  'second_factor.proven',
  'second_factor.codes_renewed',
  'second_factor.required',
  'signing_key.generated',
  'signing_key.rotated',
  'signing_key.retired',
  'audit.dropped',
  'audit.purged',
] as const

export type AuditAction = (typeof auditActions)[number]

export const auditOutcomes = ['done', 'refused'] as const
export type AuditOutcome = (typeof auditOutcomes)[number]

/** `nobody` is whoever has not proven who they are; `system` is the service itself. */
export const auditActors = ['user', 'key_pair', 'operator', 'system', 'nobody'] as const
export type AuditActorKind = (typeof auditActors)[number]

export interface AuditActor {
  kind: AuditActorKind
  /** Of the user; also of the one whose key-pair it is. */
  id: number | null
  /** The login as it was then: users can be deleted, what they did cannot. */
  name: string | null
}

export type AuditDetails = Record<string, string | number | boolean | null>

/** What has happened; never with a secret in it. */
export interface AuditEvent {
  /** Seconds since the Unix epoch. */
  at: number
  action: AuditAction
  outcome: AuditOutcome
  actor: AuditActor
  /** Whose account, session or key-pair it was about. */
  userId: number | null
  apiKey: string | null
  ip: string | null
  userAgent: string | null
  requestId: string | null
  /** Why it was refused, or why it was done: more exact than the answer was. */
  reason: string | null
  /** How many times within the second, of what is collected before it is written. */
  times: number
  details: AuditDetails
}

/** An event as it stands in the log, before its place in the chain is known. */
export interface AuditEntry extends AuditEvent {
  /** Random and unique, so that an entry cannot be written a second time unnoticed. */
  uid: string
  /** Which key signed it. */
  keyId: string
  /** Proof that the service wrote it: HMAC-SHA256 over all of the above, base64url. */
  mac: string
}

/** The place of an entry in the chain. */
export interface AuditSeal {
  /** From 1, without gaps. */
  seq: number
  /** SHA-256 over the hash before it and the entry, base64url. */
  hash: string
}

/** The hash before the first entry. */
export const genesis: AuditSeal = { seq: 0, hash: '' }

export const maxUserAgent = 255
const maxDetail = 255

export interface AuditKey {
  id: string
  key: Uint8Array
}

/**
 * The key of the audit log, derived from the signing secret (RFC 5869): the same on all nodes of one
 * database, and not in the database.
 */
export function deriveAuditKey(secret: string): AuditKey {
  const key = new Uint8Array(hkdfSync('sha256', secret, '', 'twinkey audit log v1', 32))
  return { id: createHash('sha256').update(key).digest('base64url').slice(0, 10), key }
}

/** An event with what most have: no reason, no details, once. */
export type NewAuditEvent = Pick<AuditEvent, 'at' | 'action' | 'actor'> &
  Partial<Omit<AuditEvent, 'ip' | 'userAgent' | 'requestId'>> & { origin?: Origin | undefined }

/** @returns The event as it goes into the log: nothing in it is longer than the log allows. */
export function auditEvent(event: NewAuditEvent): AuditEvent {
  const { origin = nowhere, details = {}, actor, ...given } = event
  return {
    outcome: 'done',
    userId: null,
    apiKey: null,
    reason: null,
    times: 1,
    ...given,
    actor: { ...actor, name: actor.name && cut(actor.name, 60) },
    ip: origin.ip,
    userAgent: origin.userAgent ? cut(origin.userAgent, maxUserAgent) : null,
    requestId: origin.requestId ?? null,
    details: Object.fromEntries(
      Object.entries(details).map(([name, value]) => [
        name,
        typeof value === 'string' ? cut(value, maxDetail) : value,
      ]),
    ),
  }
}

function cut(text: string, length: number): string {
  return text.slice(0, length).toWellFormed()
}

/** Who did it and from where, of somebody who asks for a change. */
export function doneBy(asker: Asker): { actor: AuditActor; origin: Origin } {
  if (asker.kind === 'operator') {
    return { actor: { kind: 'operator', id: null, name: null }, origin: nowhere }
  }
  const kind = asker.kind === 'session' ? 'user' : 'key_pair'
  return { actor: actorOf(asker.user, kind), origin: asker.origin ?? nowhere }
}

export function actorOf({ id, login }: User, kind: AuditActorKind = 'user'): AuditActor {
  return { kind, id, name: login }
}

export const nobody: AuditActor = { kind: 'nobody', id: null, name: null }
export const system: AuditActor = { kind: 'system', id: null, name: null }

/** @returns The event as an entry: named, and signed. */
export function signEntry(event: AuditEvent, { id, key }: AuditKey): AuditEntry {
  const entry = { ...event, uid: randomBytes(12).toString('base64url'), keyId: id }
  return { ...entry, mac: macOf(entry, key) }
}

export function isEntryGenuine(entry: AuditEntry, key: AuditKey): boolean {
  return isEqual(macOf(entry, key.key), entry.mac)
}

function macOf(entry: Omit<AuditEntry, 'mac'>, key: Uint8Array): string {
  return createHmac('sha256', key).update(canonical(entry)).digest('base64url')
}

/** The same text for the same entry, whatever way it took through a database or a file. */
function canonical(entry: Omit<AuditEntry, 'mac'>): string {
  const { actor, details } = entry
  const sorted = Object.keys(details)
    .sort()
    .map((name) => [name, details[name]])
  return JSON.stringify([
    'twinkey-audit-1',
    entry.uid,
    entry.keyId,
    entry.at,
    entry.action,
    entry.outcome,
    [actor.kind, actor.id, actor.name],
    entry.userId,
    entry.apiKey,
    entry.ip,
    entry.userAgent,
    entry.requestId,
    entry.reason,
    entry.times,
    sorted,
  ])
}

/** The seal of the entry that comes after `before`. */
export function sealOf(before: AuditSeal, entry: AuditEntry): AuditSeal {
  const seq = before.seq + 1
  const text = `${before.hash}\n${seq}\n${entry.mac}\n${canonical(entry)}`
  return { seq, hash: createHash('sha256').update(text).digest('base64url') }
}

/**
 * What the service says of its chain: where it ends now (`head`), where it was (`checkpoint`), and
 * after a purge where what is left begins (`anchor`).
 */
export type StatementKind = 'head' | 'checkpoint' | 'anchor'

export interface Statement extends AuditSeal {
  kind: StatementKind
  /** Seconds since the Unix epoch. */
  at: number
  keyId: string
  /** HMAC-SHA256 over the rest, base64url. */
  signature: string
}

/** Only somebody with the signing secret can say where the chain ends or begins. */
export function signStatement(
  kind: StatementKind,
  { seq, hash }: AuditSeal,
  at: number,
  { id: keyId, key }: AuditKey,
): Statement {
  const statement = { kind, seq, hash, at, keyId }
  return { ...statement, signature: signatureOf(statement, key) }
}

export function isStatementGenuine(statement: Statement, key: AuditKey): boolean {
  return isEqual(signatureOf(statement, key.key), statement.signature)
}

function signatureOf(statement: Omit<Statement, 'signature'>, key: Uint8Array): string {
  const { kind, seq, hash, at, keyId } = statement
  const text = JSON.stringify(['twinkey-audit-statement-1', kind, seq, hash, at, keyId])
  return createHmac('sha256', key).update(text).digest('base64url')
}

function isEqual(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
