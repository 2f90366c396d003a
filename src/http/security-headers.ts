import { IncomingMessage, ServerResponse } from 'node:http'
import { Socket } from 'node:net'
import helmet from 'helmet'
import type { AppMiddleware } from './state.js'

/**
 * The headers of every answer of the API. They never depend on the request, so helmet is asked once,
 * at start-up, and its answer is reused.
 */
export function apiHeaders({ publicUrl }: { publicUrl: string }): Record<string, string> {
  return {
    ...headersOf(
      helmet({
        // Right for JSON; pages bring their own.
        contentSecurityPolicy: {
          useDefaults: false,
          directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] },
        },
        frameguard: { action: 'deny' },
        strictTransportSecurity: publicUrl.startsWith('https:'),
        // APIs are made to be called from elsewhere; CORS decides who may read the answer.
        crossOriginResourcePolicy: { policy: 'cross-origin' },
        // These speak of documents only, and every answer would carry their bytes.
        crossOriginOpenerPolicy: false,
        originAgentCluster: false,
        xDnsPrefetchControl: false,
        xDownloadOptions: false,
        xPermittedCrossDomainPolicies: false,
        xXssProtection: false,
      }),
    ),
    'Cache-Control': 'no-store',
    Link: `<${publicUrl}/wp-json/>; rel="https://api.w.org/"`,
  }
}

/** The headers of every page, over those of the API. */
export function pageHeaders({ publicUrl }: { publicUrl: string }): Record<string, string> {
  return headersOf(
    helmet({
      contentSecurityPolicy: {
        useDefaults: false,
        directives: {
          defaultSrc: ["'none'"],
          scriptSrc: ["'self'"],
          styleSrc: ["'self'"],
          imgSrc: ["'self'", 'data:'],
          connectSrc: ["'self'"],
          formAction: ["'self'"],
          baseUri: ["'none'"],
          frameAncestors: ["'none'"],
        },
      },
      frameguard: { action: 'deny' },
      strictTransportSecurity: publicUrl.startsWith('https:'),
      crossOriginResourcePolicy: { policy: 'same-origin' },
      // With "no-referrer" browsers send forms of ours with the origin "null".
      referrerPolicy: { policy: 'same-origin' },
    }),
  )
}

export function securityHeaders(headers: Record<string, string>): AppMiddleware {
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
