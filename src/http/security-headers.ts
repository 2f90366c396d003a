import { ServerResponse } from 'node:http'
import { IncomingMessage } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'
import type { AppMiddleware } from './state.js'

/**
 * The headers that every answer carries. They never depend on the request, so helmet is asked once,
 * at start-up, and its answer is reused.
 */
export function securityHeaders({ publicUrl }: { publicUrl: string }): AppMiddleware {
  const isHttps = publicUrl.startsWith('https:')
  const headers: Record<string, string> = {
    ...headersOf(
      helmet({
        // Right for JSON; pages bring their own.
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        },
        frameguard: { action: 'deny' },
        strictTransportSecurity: isHttps,
        // APIs are made to be called from elsewhere; CORS decides who may read the answer.
        crossOriginResourcePolicy: { policy: 'cross-origin' },
      }),
    ),
    'Cache-Control': 'no-store',
    Link: `<${publicUrl}/wp-json/>; rel="https://api.w.org/"`,
  }
  return function setSecurityHeaders(ctx, next) {
    ctx.set(headers)
    return next()
  }
}

function headersOf(middleware: ReturnType<typeof helmet>): Record<string, string> {
  const request = new IncomingMessage(new Socket())
  const response = new ServerResponse(request)
  middleware(request, response, () => {})
  return Object.fromEntries(
    response.getHeaderNames().map((name) => [name, String(response.getHeader(name))]),
  )
}
