import { Writable } from 'node:stream'
import type { Context } from 'koa'
import { koaBody } from 'koa-body'
import { invalidParameters, ServiceError } from '../errors.js'
import { formOptions, maxBodyBytes } from './form.js'

const mediaTypes = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']

const parse = koaBody({
  json: true,
  urlencoded: true,
  multipart: true,
  text: false,
  patchKoa: true,
  jsonTypes: ['application/json'],
  jsonLimit: maxBodyBytes,
  formLimit: maxBodyBytes,
  queryString: formOptions,
  formidable: {
    onPart(part, handle) {
      // formidable takes every part with a Content-Type for a file, but clients give one to texts
      // too (.NET's StringContent, Apache's addTextBody). A file is what has a file name.
      const { headers } = part as { headers?: Record<string, string> }
      const isFile = /;\s*filename\*?\s*=/i.test(headers?.['content-disposition'] ?? '')
      part.mimetype = isFile ? 'application/octet-stream' : null
      // formidable has undone the part's transfer encoding by now and would undo it again, as a
      // character encoding: with "8bit" that throws where nobody catches, and the process ends.
      Object.assign(part, { transferEncoding: 'utf-8' })
      handle(part)
    },
    maxFields: 100,
    maxFieldsSize: maxBodyBytes,
    maxFiles: 10,
    maxFileSize: maxBodyBytes,
    allowEmptyFiles: true,
    minFileSize: 0,
    // File parts are refused below. Until then their bytes go nowhere, least of all to a disk.
    fileWriteStreamHandler: () =>
      new Writable({
        write(_chunk, _encoding, done) {
          done()
        },
      }),
  },
})

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
  try {
    await parse(ctx as Parameters<typeof parse>[0], async () => {})
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
  return body as Record<string, unknown>
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
