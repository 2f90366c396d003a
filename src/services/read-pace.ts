/** Longest run of reads, in milliseconds of the pace, that need not wait after a quiet moment. */
const burstMs = 10

/** Keeps what it is asked about below a number a second, by any window of a second. */
export interface ReadPace {
  /** Milliseconds until the next read may begin; 0 if it may now. */
  waitMs(): number
  /** A read begins. */
  begin(): void
}

/**
 * A read that is put off serves more requests, so where many ask, a pace costs nothing; one client that
 * asks again as soon as it is answered would otherwise have a read for itself, thousands of times a second.
 *
 * @param perSecond Reads a second, in the long run.
 * @param clock Milliseconds that never go back.
 * @see Generic cell rate algorithm: ITU-T I.371, annex A
 */
export function createReadPace(perSecond: number, clock = () => performance.now()): ReadPace {
  const intervalMs = 1000 / perSecond
  /** When the next read would be due if they came evenly. */
  let due = 0
  return {
    waitMs: () => Math.max(0, due - burstMs - clock()),
    begin() {
      due = Math.max(due, clock()) + intervalMs
    },
  }
}
