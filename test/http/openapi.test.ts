import { execFile } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Json, onSqlite, readDocument } from '../helpers/described-service.js'

const redocly = join(import.meta.dirname, '../../node_modules/@redocly/cli/bin/cli.js')

onSqlite('a linter that nobody here wrote finds nothing wrong', async (t, service) => {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-openapi-'))
  try {
    const file = join(folder, 'openapi.json')
    writeFileSync(file, JSON.stringify(await readDocument(service)))
    const config = join(import.meta.dirname, '../../redocly.yaml')
    const args = [redocly, 'lint', '--config', config, '--format', 'json', file]
    const env = {
      ...process.env,
      REDOCLY_TELEMETRY: 'off',
      REDOCLY_SUPPRESS_UPDATE_NOTICE: 'true',
    }
    const run = promisify(execFile)(process.execPath, args, { env })
    const { stdout } = await run.catch((error: { stdout: string }) => error)
    const { totals, problems } = JSON.parse(stdout)
    const found = problems.map((problem: Json) => [problem.message, problem.location[0].pointer])
    t.deepEqual(found, [])
    t.deepEqual(totals, { errors: 0, warnings: 0, ignored: 0 })
  } finally {
    rmSync(folder, { recursive: true })
  }
})

onSqlite('what is served to programs is described, and nothing else', async (t, service) => {
  const document = await readDocument(service)
  const described = Object.entries<Json>(document.paths).flatMap(([path, methods]) =>
    Object.keys(methods).map((method) => `${method.toUpperCase()} ${path}`),
  )
  const layers = service
    .app()
    .middleware.flatMap((middleware) => (middleware as Json).router?.stack ?? [])
  const served = layers.flatMap((layer: Json) =>
    layer.methods.map(
      (method: string) => `${method} ${layer.path.replace(/:(\w+)/g, '{$1}').replace(/\/$/, '')}`,
    ),
  )
  const forPrograms = served.filter(
    (route: string) =>
      !/^(HEAD|OPTIONS) /.test(route) &&
      !/^\w+ (\/(assets|profile|users|docs|audit|login\/second-factor)(\/.*)?)?$/.test(route) &&
      !/^GET \/(login|logout)$/.test(route),
  )
  // Answered before any router is asked.
  forPrograms.push('GET /forward-auth')
  t.true(forPrograms.length > 25)
  t.deepEqual(described.sort(), [...new Set<string>(forPrograms)].sort())
})

onSqlite('a body that is described is one that is read', async (t, service) => {
  const { paths, components } = await readDocument(service)
  const mint = paths['/wp-json/wp/v2/key-pair/{user_id}'].post
  const { schema } = mint.requestBody.content['application/json']
  t.deepEqual(schema.required, ['name'])
  t.deepEqual(Object.keys(schema.properties).sort(), [
    'description',
    'expires_at',
    'name',
    'networks',
    'require_device',
    'scopes',
  ])
  t.deepEqual(mint.security, [{ session: [], nonce: [] }])
  const [page] = paths['/wp-json/wp/v2/users'].get.parameters.filter(
    (it: Json) => it.name === 'page',
  )
  t.like(page, {
    in: 'query',
    required: false,
    schema: { type: 'integer', minimum: 1, default: 1 },
  })
  t.is(components.securitySchemes.nonce.name, 'X-WP-Nonce')
})

onSqlite('anybody may read the description, from any site', async (t, service) => {
  const response = await service.fetch('/openapi.json')
  t.is(response.headers.get('Content-Type')?.split(';')[0], 'application/json')
  t.is(response.headers.get('Access-Control-Allow-Origin'), '*')
  t.is(((await response.json()) as Json).servers[0].url, service.url)
})

onSqlite('the page shows every endpoint, and nothing of other hosts', async (t, service) => {
  const response = await service.fetch('/docs')
  t.is(response.status, 200)
  t.true(response.headers.get('Content-Security-Policy')?.includes("default-src 'none'"))
  const html = await response.text()
  const { paths, components } = await readDocument(service)
  for (const [path, methods] of Object.entries<Json>(paths)) {
    for (const [method, { operationId, summary }] of Object.entries<Json>(methods)) {
      t.true(html.includes(`<b>${method.toUpperCase()}</b> ${path}<`), `${method} ${path}`)
      t.true(html.includes(`id="${operationId}"`))
      t.true(html.includes(summary))
    }
  }
  for (const name of Object.keys(components.schemas)) t.true(html.includes(`<code>${name}</code>`))
  t.false(/(?:src|href)="(?:https?:)?\/\//.test(html))
  const [style] = /\/assets\/\w+\/docs\.css/.exec(html) ?? []
  t.is((await service.fetch(style ?? '/none')).status, 200)
})

onSqlite('whoever has to wait is told so in the headers that are described', async (t, service) => {
  const { paths } = await readDocument(service)
  const described = paths['/login'].post.responses['429'].headers
  const fields = { user_login: 'nobody', password: 'wrong' }
  let answer = await service.json('/login', { fields })
  while (answer.status === 401) answer = await service.json('/login', { fields })
  t.is(answer.status, 429)
  const names = ['Retry-After', 'RateLimit-Policy', 'RateLimit']
  t.deepEqual(Object.keys(described), names)
  for (const name of names) t.truthy(answer.headers.get(name), name)
  t.deepEqual(Object.keys(paths['/login'].post.responses['503'].headers), ['Retry-After'])
})
