import type { Histogram } from '../domain/histogram.js'
import type { ErrorCode } from '../errors.js'

/** What the services count about themselves while they work: numbers in memory, no more. */
export interface Measures {
  stateReads: StateReadMeasures
  signatureMemory: SignatureMemoryMeasures
  /** Uses of key-pairs that are not written yet. */
  usageBacklog: number
  /** Answered failures by code, refusals and our own alike. */
  failures: ReadonlyMap<ErrorCode, number>
}

export interface StateReadMeasures {
  /** How many keys each read asked for. */
  keys: Histogram
  /** How long each took, in seconds: no state that decides about a request is older. */
  seconds: Histogram
  failures: number
  /** Keys that wait for the next read. */
  waiting: number
  /** Seconds since the last read that succeeded; `undefined` if there was none. */
  age: number | undefined
}

export interface SignatureMemoryMeasures {
  entries: number
  bytes: number
  hits: number
  misses: number
}
