import { createHash, timingSafeEqual } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { Logger } from '../logger.js'
import { metricsType } from './snapshot.js'

export interface MetricsServerOptions {
  /** Whoever asks must bring it as a bearer token; `undefined`: nobody must. */
  token: string | undefined
  /** @returns The metrics in Prometheus's text format. */
  read(): Promise<string>
  logger: Logger
}

/** `GET /metrics` and nothing else, for a port of its own. The caller lets it listen. */
export function createMetricsServer({ token, read, logger }: MetricsServerOptions): Server {
  const expected = token === undefined ? undefined : digest(`Bearer ${token}`)

  const server = createServer((request, response) => {
    function refuse(status: number, headers: Record<string, string> = {}): void {
      response.writeHead(status, { 'Content-Length': '0', ...headers }).end()
    }

    if (request.url?.split('?')[0] !== '/metrics') return refuse(404)
    if (request.method !== 'GET' && request.method !== 'HEAD') {
      return refuse(405, { Allow: 'GET, HEAD' })
    }
    if (expected && !timingSafeEqual(expected, digest(request.headers.authorization ?? ''))) {
      return refuse(401, { 'WWW-Authenticate': 'Bearer realm="Twinkey metrics"' })
    }
    read().then(
      (text) => {
        const length = String(Buffer.byteLength(text))
        response.writeHead(200, {
          'Content-Type': metricsType,
          'Content-Length': length,
          'Cache-Control': 'no-store',
        })
        response.end(request.method === 'HEAD' ? undefined : text)
      },
      (err: unknown) => {
        logger.error({ err }, 'metrics could not be read')
        refuse(500)
      },
    )
  })
  return server
}

/** Of equal length, whatever somebody sends. */
function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest()
}
