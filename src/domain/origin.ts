/** Where a request came from, as far as we believe it; for the audit log as well as for limits. */
export interface Origin {
  /** An address, e.g. `203.0.113.7`. */
  ip: string | null
  userAgent?: string | undefined
  /** Names the request in answers, logs and the audit log. */
  requestId?: string | null | undefined
}

/** Of what no request asked for: the command line, a test, the service itself. */
export const nowhere: Origin = { ip: null }
