import { setImmediate as turn } from 'node:timers/promises'
import {
  actorOf,
  auditEvent,
  type AuditEvent,
  type NewAuditEvent,
  nobody,
  system,
} from '../../domain/audit.js'
import type { Origin } from '../../domain/origin.js'
import type { User } from '../../domain/user.js'
import type { ServiceError } from '../../errors.js'
import type { Logger } from '../../logger.js'
import { takeFirst } from '../take-first.js'
import type { AuditTrail } from './trail.js'

/** What changes nothing, and therefore need not be written at once. */
export interface AuditRecorder {
  /** An exchange or a refresh. */
  issued(
    action: 'token.exchanged' | 'token.refreshed',
    to: { user: User; apiKey: string },
    origin: Origin,
  ): void
  /**
   * A refusal, with the true reason, whatever the answer said. Only what has to do with permission
   * is recorded: a mistyped parameter is none.
   *
   * @param user Who asked, if that is known.
   */
  refused(error: ServiceError, origin: Origin, user?: User): void
  /** Writes what has been collected; called about once a second, and at shutdown. */
  flush(): Promise<void>
  close(): Promise<void>
}

export interface AuditRecorderDeps {
  trail: Pick<AuditTrail, 'writeCollected'>
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
  intervalMs?: number
}

/** Entries waiting to be written. Beyond, what comes is counted, and dropped. */
const maxPending = 2000
const perStatement = 50
/** Refusals that get an entry each: so many at once, and so many a second in the long run. */
const burst = 500
const perSecond = 10

/**
 * Keeps the trail of what happens all the time off the hot path, and a flood out of memory and disk:
 * exchanges of one pair within the same second, from one place, are one entry that says how many; and
 * refusals that come faster than an owner could read are counted by pair and reason.
 */
export function createAuditRecorder(deps: AuditRecorderDeps): AuditRecorder {
  const { trail, logger, now, intervalMs = 1000 } = deps
  const pending = new Map<string, AuditEvent>()
  let dropped = 0
  let single = 0
  let budget = burst
  let flushing: Promise<void> = Promise.resolve()

  function keep(name: string, event: Omit<NewAuditEvent, 'at'>): void {
    const known = pending.get(name)
    if (known) known.times += 1
    else if (pending.size >= maxPending) dropped += 1
    else pending.set(name, auditEvent({ ...event, at: now() }))
  }

  /** Of what could not be written, as much is kept as there is room for. */
  function putBack(batch: readonly (readonly [string, AuditEvent])[]): void {
    for (const [name, event] of batch) {
      const known = pending.get(name)
      if (known) known.times += event.times
      else if (pending.size < maxPending) pending.set(name, event)
      else dropped += event.times
    }
  }

  async function write(): Promise<void> {
    budget = Math.min(burst, budget + perSecond * (intervalMs / 1000))
    if (dropped > 0) {
      const times = dropped
      dropped = 0
      // One may wait there already, if it could not be written either.
      const known = pending.get('dropped')
      const event = { at: now(), action: 'audit.dropped', actor: system, times } as const
      if (known) known.times += times
      else pending.set('dropped', auditEvent(event))
    }
    // Only what is there now: more comes all the time. Between statements requests have their turn, since
    // an embedded database does its work in this very thread.
    for (let left = pending.size; left > 0; left -= perStatement) {
      const batch = takeFirst(pending, Math.min(left, perStatement))
      try {
        await trail.writeCollected(batch.map(([, event]) => event))
      } catch (err) {
        putBack(batch)
        logger.warn({ err }, 'the audit log could not be written; will try again')
        return
      }
      await turn()
    }
  }

  const recorder: AuditRecorder = {
    issued(action, { user, apiKey }, origin) {
      keep(`${action} ${apiKey} ${origin.ip} ${origin.userAgent}`, {
        action,
        actor: actorOf(user, 'key_pair'),
        userId: user.id,
        apiKey,
        origin,
      })
    },

    refused(error, origin, user) {
      if (!isAboutPermission(error)) return
      const { userId = null, apiKey = null, reason = error.code } = error.about ?? {}
      const event = {
        action: error.code === 'incorrect_password' ? 'login.refused' : 'request.refused',
        outcome: 'refused',
        actor: user ? actorOf(user) : nobody,
        userId: userId ?? user?.id ?? null,
        apiKey,
        reason,
        ...(reason !== error.code && { details: { answer: error.code } }),
      } as const
      if (budget >= 1 && pending.size < maxPending) {
        budget -= 1
        single += 1
        keep(`refusal ${single}`, { ...event, origin })
      } else {
        keep(`refusals ${event.action} ${reason} ${apiKey} ${event.userId}`, event)
      }
    },

    flush() {
      flushing = flushing.then(write)
      return flushing
    },

    async close() {
      clearInterval(timer)
      await recorder.flush()
    },
  }
  const timer = setInterval(() => {
    if (pending.size > 0 || dropped > 0 || budget < burst) void recorder.flush()
  }, intervalMs)
  timer.unref()
  return recorder
}

function isAboutPermission({ code, status }: ServiceError): boolean {
  if (status >= 500) return false
  return status === 401 || status === 403 || status === 429 || /^rest_authentication_/.test(code)
}
