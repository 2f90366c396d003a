import type { DatabaseHost } from '../database-url.js'

/** Which of several servers with the same data connections are made to. */
export interface DatabaseHosts {
  current(): DatabaseHost
  /** A connection to this one failed, or it does not serve: from now on another is current. */
  failed(host: DatabaseHost): void
  close(): void
}

export interface DatabaseHostsOptions {
  hosts: readonly [DatabaseHost, ...DatabaseHost[]]
  /** Whether a server would answer a strict read, now. Must settle by itself. */
  probe(host: DatabaseHost): Promise<boolean>
  onChange(from: DatabaseHost, to: DatabaseHost): void
  /** Milliseconds. */
  probeIntervalMs?: number
  /** How long a server must have been well without a break before it is preferred again. */
  trustAfterMs?: number
}

interface Health {
  host: DatabaseHost
  /** Since when every probe has been good; `undefined` while it is not well. */
  wellSince: number | undefined
  /** Grows with each failure, so that one that comes and goes is not followed. */
  trustAfterMs: number
}

const longestTrustAfterMs = 300_000

/**
 * Prefers one server: the first of the list that is well. All connections of this process go there,
 * because transactions of one server wait for each other's locks, where those of two collide when they
 * commit and one of them is done for nothing. Who wants the load spread lists the servers in another
 * order for each process, its nearest first.
 *
 * When the current one fails, the next is taken at once. One that is earlier in the list is gone back
 * to only when it has been well for a while, and for longer each time that it fails, so nothing flaps.
 */
export function createDatabaseHosts(options: DatabaseHostsOptions): DatabaseHosts {
  const { hosts, probe, onChange, probeIntervalMs = 500, trustAfterMs = 5000 } = options
  const all: [Health, ...Health[]] = hosts.map((host) => ({
    host,
    wellSince: 0,
    trustAfterMs,
  })) as never
  let [current] = all
  let isClosed = false
  let timer: NodeJS.Timeout | undefined

  function goTo(next: Health): void {
    const from = current
    current = next
    if (from !== next) onChange(from.host, next.host)
  }

  /** The next one after `health`, in the order of the list, that is well; else simply the next. */
  function after(health: Health): Health {
    const start = all.indexOf(health) + 1
    const others = [...all.slice(start), ...all.slice(0, start - 1)]
    return others.find(({ wellSince }) => wellSince !== undefined) ?? others[0] ?? health
  }

  function markFailed(health: Health): void {
    if (health.wellSince !== undefined) {
      health.trustAfterMs = Math.min(health.trustAfterMs * 2, longestTrustAfterMs)
    }
    health.wellSince = undefined
    if (health === current) goTo(after(health))
  }

  async function look(health: Health): Promise<void> {
    const isWell = await probe(health.host)
    if (isClosed) return
    if (!isWell) markFailed(health)
    else health.wellSince ??= performance.now()
  }

  function preferEarlier(): void {
    if (current.wellSince === undefined) {
      const well = all.find(({ wellSince }) => wellSince !== undefined)
      if (well) goTo(well)
      return
    }
    const now = performance.now()
    const earlier = all
      .slice(0, all.indexOf(current))
      .find(
        (health) => health.wellSince !== undefined && now - health.wellSince >= health.trustAfterMs,
      )
    if (!earlier) return
    goTo(earlier)
  }

  async function lookAtAll(): Promise<void> {
    await Promise.all(all.map(look))
    if (isClosed) return
    preferEarlier()
    schedule()
  }

  function schedule(): void {
    timer = setTimeout(() => void lookAtAll(), probeIntervalMs)
    timer.unref()
  }

  // One server has no alternative, and shows how it is by what it answers.
  if (all.length > 1) schedule()

  return {
    current: () => current.host,
    failed(host) {
      const health = all.find((candidate) => candidate.host === host)
      if (health && all.length > 1) markFailed(health)
    },
    close() {
      isClosed = true
      clearTimeout(timer)
    },
  }
}
