import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, extname, join } from 'node:path'
import Router from '@koa/router'
import type { AppRouter, RequestState } from '../state.js'

const types: Record<string, string> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
}

export interface Assets {
  /** The folder's address. It names the content, so what is under it may be kept for ever. */
  base: string
  router: AppRouter
}

/** Reads `public/` once: it is small, and what a running service serves must not change beneath it. */
export function createAssets(folder = findFolder(import.meta.dirname)): Assets {
  const files = new Map<string, { body: Buffer; type: string; etag: string }>()
  const all = createHash('sha256')
  const paths = new Map(readdirSync(folder).map((name) => [name, join(folder, name)]))
  paths.set('simplewebauthn-browser.js', findPasskeyLibrary())
  for (const [name, path] of [...paths].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const type = types[extname(name)]
    if (!type) continue
    const body = readFileSync(path)
    all.update(name).update(body)
    files.set(name, { body, type, etag: `"${digest(body)}"` })
  }
  const base = `/assets/${all.digest('hex').slice(0, 12)}`

  const router = new Router<RequestState>({ sensitive: true })
  // One folder for all, so that modules import one another by relative addresses. The address of an
  // older version is answered with what there is now: a page of before a deployment still loads.
  router.get('/assets/:version/:name', function sendAsset(ctx, next) {
    const file = files.get(ctx.params.name ?? '')
    if (!file) return next()
    const isCurrent = ctx.path.startsWith(`${base}/`)
    ctx.set({
      'Cache-Control': isCurrent ? 'public, max-age=31536000, immutable' : 'no-cache',
      'Cross-Origin-Resource-Policy': 'same-origin',
      ETag: file.etag,
    })
    ctx.type = file.type
    ctx.status = 200
    if (ctx.fresh) ctx.status = 304
    else ctx.body = file.body
  })
  return { base, router }
}

function digest(body: Buffer): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, 22)
}

/** The package's own build for browsers, in one file. */
function findPasskeyLibrary(): string {
  const main = createRequire(import.meta.url).resolve('@simplewebauthn/browser')
  return join(dirname(main), '..', 'dist', 'bundle', 'index.umd.min.js')
}

/** `public/` stands beside `src/` as well as beside `dist/`. */
function findFolder(from: string): string {
  const folder = join(from, 'public')
  if (existsSync(join(folder, 'app.js'))) return folder
  if (dirname(from) === from) throw new Error('The folder public/ of this package is missing.')
  return findFolder(dirname(from))
}
