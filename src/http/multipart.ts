import type { IncomingMessage } from 'node:http'
import { Transform, Writable } from 'node:stream'
import type { KoaBodyMiddlewareOptions } from 'koa-body'
import type { Context } from 'koa'
import { maxBodyBytes } from './form.js'

/** How koa-body's parser, formidable, reads a multipart body. Its texts are {@link decodeTexts}'. */
export const multipartOptions: NonNullable<KoaBodyMiddlewareOptions['formidable']> = {
  onPart(part, handle) {
    // formidable takes every part with a Content-Type for a file, but clients give one to texts too
    // (.NET's StringContent, Apache's addTextBody). A file is what has a file name.
    const { headers } = part as { headers?: Record<string, string> }
    const isFile = /;\s*filename\*?\s*=/i.test(headers?.['content-disposition'] ?? '')
    part.mimetype = isFile ? 'application/octet-stream' : null
    // The part's transfer encoding has been undone by now. formidable would take it for the text's
    // character encoding: with "8bit" that throws where nobody catches, and the process ends. With
    // "utf-8" it drops what is cut off at the end. Latin-1 keeps every byte.
    Object.assign(part, { transferEncoding: 'latin1' })
    handle(part)
  },
  maxFields: 100,
  maxFieldsSize: maxBodyBytes,
  maxFiles: 10,
  maxFileSize: maxBodyBytes,
  allowEmptyFiles: true,
  minFileSize: 0,
  // File parts are refused. Until then their bytes go nowhere, least of all to a disk.
  fileWriteStreamHandler: () =>
    new Writable({
      write(_chunk, _encoding, done) {
        done()
      },
    }),
}

/**
 * formidable limits fields and files, but not the header lines of a part nor what stands between
 * parts, and it keeps the former in memory.
 *
 * @returns The context with a request that fails, with `status` 413, once it is too long.
 */
export function withSizeLimit(ctx: Context): Context {
  let received = 0
  const limited = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      received += chunk.length
      const isTooLong = received > maxBodyBytes
      done(
        isTooLong ? Object.assign(new Error('The body is too long'), { status: 413 }) : null,
        chunk,
      )
    },
  })
  // Not `pipeline`: it would close the connection before the refusal is sent.
  ctx.req.once('error', (error) => limited.destroy(error))
  ctx.req.pipe(limited)
  const request = Object.assign(limited, { headers: ctx.req.headers }) as unknown as IncomingMessage
  return Object.create(ctx, { req: { value: request } }) as Context
}

/** Decodes the texts that formidable has read byte by byte; what is no UTF-8 becomes U+FFFD. */
export function decodeTexts(fields: Record<string, unknown>): Record<string, unknown> {
  const decode = (bytes: unknown) => Buffer.from(String(bytes), 'latin1').toString()
  return Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [
      name,
      Array.isArray(value) ? value.map(decode) : decode(value),
    ]),
  )
}
