import type { IncomingMessage } from 'node:http'

/** Of any request's body. Key-pairs, tokens and names fit many times over. */
export const maxBodyBytes = 64 * 1024

/** How qs reads an urlencoded body, here and in koa-body. */
export const formOptions = {
  allowDots: false,
  depth: 2,
  parameterLimit: 100,
  throwOnLimitExceeded: true,
  decoder: decodeComponent,
}

/** Loaded by the first form: a node that was just started answers checks without it. */
let parser: typeof import('co-body') | undefined

/**
 * Reads an urlencoded body with the parser that koa-body uses for it.
 *
 * @throws What the parser throws: an error with `status` 413 or 400; or if the client has gone.
 */
export async function readForm(request: IncomingMessage): Promise<Record<string, unknown>> {
  parser ??= (await import('co-body')).default
  // Whoever went away in the meantime: no parser would ever hear of it.
  if (request.destroyed) throw new Error('The client has gone')
  return parser.form(request, { limit: maxBodyBytes, queryString: formOptions })
}

/** Decodes as browsers do. qs keeps `%FF`, which is no UTF-8, as the three characters typed. */
function decodeComponent(encoded: string): string {
  if (!/[%+]/.test(encoded)) return encoded
  return new URLSearchParams(`value=${encoded}`).get('value') ?? ''
}
