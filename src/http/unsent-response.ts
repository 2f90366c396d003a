import type { Logger } from '../logger.js'

/** What Node says of a client that went away, took too long, or broke HTTP in a body. */
const clientCodes =
  /^(HPE_.*|ECONNRESET|ECONNABORTED|EPIPE|ERR_STREAM_PREMATURE_CLOSE|ERR_HTTP_REQUEST_TIMEOUT)$/

/**
 * Logs what Koa reports when there was nobody left to answer. Anybody can make a connection fail, so
 * that is no error of ours; and Node's parser errors hold the request itself, its secrets included,
 * so no more than their code gets into the log.
 */
export function logUnsentResponse(logger: Logger): (error: unknown) => void {
  return function logUnsent(error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (clientCodes.test(code)) logger.debug({ code }, 'the client broke the connection')
    else logger.error({ err: error }, 'a response could not be sent')
  }
}
