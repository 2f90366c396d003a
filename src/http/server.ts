import { createServer, type Server } from 'node:http'

export interface ConnectionLimits {
  /** Most connections at once, of this process. */
  max: number
  /** Longest time for the head of a request to arrive, in milliseconds. */
  headersTimeoutMs: number
  /** The same for a whole request. */
  requestTimeoutMs: number
}

/** Longest head of a request, in bytes; a longer one is 431. */
const maxHeaderSize = 16 * 1024

/**
 * Longer than the idle time-out of the usual load balancers (60 s), which would otherwise now and then
 * send a request into a connection that we are closing.
 */
const keepAliveTimeout = 65_000

/**
 * A server that nobody can hold up: whoever sends a request by drops, or opens a connection and says
 * nothing, is answered 408 when the time is over, and a connection too many is closed at once.
 */
export function createHttpServer(limits: ConnectionLimits): Server {
  const { max, requestTimeoutMs: requestTimeout } = limits
  // Node refuses to wait longer for a part than for the whole.
  const headersTimeout = Math.min(limits.headersTimeoutMs, requestTimeout)
  const server = createServer({
    maxHeaderSize,
    keepAliveTimeout,
    headersTimeout,
    requestTimeout,
    connectionsCheckingInterval: Math.min(headersTimeout, 5000),
  })
  server.maxConnections = max
  return server
}
