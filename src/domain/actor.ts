import type { Origin } from './origin.js'
import { isAdministrator, type User } from './user.js'

/**
 * Who asks. Only a person's session and the operator at the command line can change anything;
 * a token cannot, so there is no way to spell "a token mints a key-pair".
 */
export type Actor = SessionActor | OperatorActor

export interface SessionActor {
  kind: 'session'
  user: User
  /** Hash of the session's token, its name in the store. */
  sessionId: string
  /** Where the request came from, for the audit log. */
  origin?: Origin
  /** When this browser last proved the second factor, in seconds since the Unix epoch. */
  secondFactorAt: number | null
}

/** Somebody with access to the machine, through the `twinkey` command. */
export interface OperatorActor {
  kind: 'operator'
}

export const operator: OperatorActor = { kind: 'operator' }

/** A user proven by an access token: may read, can change nothing. */
export interface TokenPrincipal {
  kind: 'token'
  user: User
  apiKey: string
  /** What it may do, of what is defined. */
  scopes: readonly string[]
}

/** A key-pair that has proven its secret: a client, in the words of OAuth. */
export interface KeyPairPrincipal {
  kind: 'key_pair'
  user: User
  apiKey: string
  /** Where the request came from, for the audit log. */
  origin?: Origin
}

/** Whoever something was done for: all that a record of it needs to know. */
export type Asker =
  | OperatorActor
  | Omit<SessionActor, 'sessionId' | 'secondFactorAt'>
  | KeyPairPrincipal

/** Whether `actor` may mint, list, rename and revoke `userId`'s key-pairs. */
export function canManage(actor: Actor, userId: number): boolean {
  if (actor.kind === 'operator') return true
  return actor.user.id === userId || isAdministrator(actor.user)
}

/** Whether `viewer` may read `userId`'s profile. */
export function canView(viewer: Actor | TokenPrincipal, userId: number): boolean {
  if (viewer.kind === 'operator') return true
  return viewer.user.id === userId || isAdministrator(viewer.user)
}

/** The id to record as "who did it"; `null` for the operator. */
export function actorUserId(actor: Actor): number | null {
  return actor.kind === 'session' ? actor.user.id : null
}
