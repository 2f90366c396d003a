import type { Context, Middleware } from 'koa'
import { invalidParameters, ServiceError } from '../errors.js'
import { formOptions, maxBodyBytes } from './form.js'
import { decodeTexts, multipartOptions, withSizeLimit } from './multipart.js'

const mediaTypes = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']

/** Loaded by the first body that needs it: it brings more code along than all the rest of Koa. */
let parser: Promise<Middleware> | undefined

async function loadParser(): Promise<Middleware> {
  const { koaBody } = await import('koa-body')
  return koaBody({
    json: true,
    urlencoded: true,
    multipart: true,
    text: false,
    patchKoa: true,
    jsonTypes: ['application/json'],
    jsonLimit: maxBodyBytes,
    formLimit: maxBodyBytes,
    queryString: formOptions,
    formidable: multipartOptions,
  })
}

/**
 * Reads the request's body: JSON, urlencoded or multipart. The query is never part of it.
 *
 * @returns The fields; of any type, and nested, for JSON. Empty if there is no body.
 * @throws {ServiceError} 400, 413 or 415, naming what is wrong.
 */
export async function readBody(ctx: Context): Promise<Record<string, unknown>> {
  if (!hasBody(ctx)) return {}
  if (!ctx.is(mediaTypes)) throw new ServiceError('rest_unsupported_media_type')
  if ((ctx.request.length ?? 0) > maxBodyBytes) throw new ServiceError('rest_request_too_large')
  parser ??= loadParser()
  const parse = await parser
  // Whoever went away in the meantime: no parser would ever hear of it.
  if (ctx.req.destroyed) throw new ServiceError('rest_invalid_body')
  const isMultipart = Boolean(ctx.is('multipart/form-data'))
  // Nothing may come between this and the parser, which listens for its errors: one that nobody hears
  // ends the process.
  const source = isMultipart ? withSizeLimit(ctx) : ctx
  try {
    await parse(source as Parameters<Middleware>[0], async () => {})
  } catch (cause) {
    throw bodyError(ctx, cause)
  }
  const { body, files } = ctx.request as { body?: unknown; files?: Record<string, unknown> }
  const fileNames = Object.keys(files ?? {})
  if (fileNames.length > 0) {
    throw invalidParameters(
      Object.fromEntries(fileNames.map((name) => [name, 'must not be a file'])),
    )
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new ServiceError('rest_invalid_json')
  }
  const fields = body as Record<string, unknown>
  return isMultipart ? decodeTexts(fields) : fields
}

function hasBody(ctx: Context): boolean {
  return ctx.headers['transfer-encoding'] !== undefined || (ctx.request.length ?? 0) > 0
}

/** The parsers' own errors carry the body in them: only their status goes on. */
function bodyError(ctx: Context, error: unknown): ServiceError {
  const { status, httpCode } = error as { status?: number; httpCode?: number }
  if (status === 413 || httpCode === 413) return new ServiceError('rest_request_too_large')
  if (status === 415) return new ServiceError('rest_unsupported_media_type')
  return new ServiceError(ctx.is('application/json') ? 'rest_invalid_json' : 'rest_invalid_body')
}
