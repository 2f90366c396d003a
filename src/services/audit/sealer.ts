import { randomBytes } from 'node:crypto'
import { setImmediate as turn } from 'node:timers/promises'
import { type AuditKey, genesis, sealOf, signStatement } from '../../domain/audit.js'
import type { Logger } from '../../logger.js'
import type { AuditHead } from '../../store/audit.js'
import type { Stores } from '../../store/index.js'

/**
 * Gives entries their places in the chain, shortly after they were written, so that whoever writes
 * never waits for the chain.
 *
 * What holds, on either database and with any number of nodes:
 *
 * - An entry is sealed if it has no seal and can be seen, never because of its id: one whose
 *   transaction commits late, with an id that others have long passed, gets the next place.
 * - Places are given out under the lock of the one row that says where the chain ends, in the
 *   transaction that moves it. Two sealers cannot give out the same place, whatever their clocks say.
 * - The lease only keeps nodes from queueing for that lock. Its holder renews it by sealing; when it
 *   dies, another node takes over as soon as the lease is over.
 */
export interface AuditSealer {
  /** Seals what there is, unless another node is at it. @returns How many entries. */
  run(): Promise<number>
  /** Tells that this node has written something. */
  wake(): void
  /** Seals the last of what this node has written, and lets go of the lease. */
  close(): Promise<void>
}

export interface AuditSealerDeps {
  stores: Stores
  key: AuditKey
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
  intervalMs?: number
}

const batch = 100
/** Seconds. Longer than a batch can take; a node that dies holds up the chain, and nothing else. */
export const leaseSeconds = 15
/** A checkpoint comes after so many entries, or so many seconds. */
const checkpointEntries = 1000
const checkpointSeconds = 3600

export function createAuditSealer(deps: AuditSealerDeps): AuditSealer {
  const { stores, key, logger, now, intervalMs = 1000 } = deps
  const holder = randomBytes(12).toString('base64url')
  let running: Promise<number> | undefined
  let hasLease = false
  let isDirty = false
  let isFailing = false

  const isHeldByOther = ({ lease }: AuditHead) =>
    lease.holder !== holder && lease.until > now() && lease.until <= now() + leaseSeconds * 2

  async function sealBatch(): Promise<number | 'held'> {
    const known = await stores.audit.readHead()
    if (known && isHeldByOther(known)) return 'held'
    return stores.transaction(async (tx) => {
      const head = await tx.audit.lockHead()
      if (isHeldByOther(head)) return 'held'
      const entries = await tx.audit.listUnsealed(batch)
      if (entries.length === 0) return 0
      let last = head.end ?? genesis
      const seals = entries.map((entry) => {
        const { seq, hash } = sealOf(last, entry)
        last = { seq, hash }
        return { id: entry.id, seq, hash }
      })
      if ((await tx.audit.seal(seals)) !== entries.length) {
        throw new Error('Entries of the audit log were sealed or deleted beside the sealer.')
      }
      const at = now()
      const { checkpoint } = head
      const isDue =
        last.seq - checkpoint.seq >= checkpointEntries || at - checkpoint.at >= checkpointSeconds
      if (isDue) await tx.audit.saveStatement(signStatement('checkpoint', last, at, key))
      await tx.audit.saveHead({
        end: signStatement('head', last, at, key),
        checkpoint: isDue ? { seq: last.seq, at } : checkpoint,
        lease: { holder, until: at + leaseSeconds },
      })
      return entries.length
    })
  }

  async function sealAll(): Promise<number> {
    let total = 0
    while (await stores.audit.hasUnsealed()) {
      const sealed = await sealBatch()
      hasLease = sealed !== 'held'
      if (sealed === 'held') return total
      total += sealed
      // An embedded database does its work in this thread: requests come first.
      await turn()
    }
    isDirty = false
    return total
  }

  function run(): Promise<number> {
    running ??= sealAll().finally(() => {
      running = undefined
    })
    return running
  }

  async function tick(): Promise<void> {
    try {
      await run()
      isFailing = false
    } catch (err) {
      if (!isFailing) logger.warn({ err }, 'the audit log could not be sealed; will try again')
      isFailing = true
    }
  }

  async function release(): Promise<void> {
    await stores.transaction(async (tx) => {
      const head = await tx.audit.lockHead()
      if (head.lease.holder !== holder) return
      await tx.audit.saveHead({ ...head, lease: { holder: '', until: 0 } })
    })
  }

  const timer = setInterval(() => void tick(), intervalMs)
  timer.unref()

  return {
    run,
    wake() {
      isDirty = true
    },
    async close() {
      clearInterval(timer)
      // Under way since before the last entries, perhaps.
      if (running) await tick()
      if (isDirty && !isFailing) await tick()
      if (!hasLease || isFailing) return
      try {
        await release()
      } catch (err) {
        logger.debug({ err }, 'the lease of the audit log could not be given back')
      }
    },
  }
}
