import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, request, type IncomingHttpHeaders } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { checkFromOutside, judgeClock } from '../../src/cli/doctor/remote.js'
import type { Finding } from '../../src/cli/doctor/finding.js'
import { onEachDatabase } from '../helpers/with-service.js'
import { cliBeside, onSqlite, runCli } from './run-cli.js'

const of = (found: readonly Finding[], check: string) => found.find((one) => one.check === check)

onEachDatabase('doctor finds nothing wrong with a sound installation', async (t, service) => {
  const port = Number(new URL(service.url).port)
  const outside = await checkFromOutside({
    publicUrl: service.url,
    trustProxy: 0,
    corsOrigins: [],
    port,
  })
  t.deepEqual(
    outside.map(({ check, status }) => [check, status]),
    [
      ['authorization', 'ok'],
      ['clock', 'ok'],
      ['issuer', 'ok'],
      ['proxy', 'ok'],
    ],
  )
  const { code, stdout, json } = await cliBeside(service)('doctor', '--json')
  t.is(code, 0, stdout)
  const { ok, checks } = json()
  t.true(ok)
  const inside = checks
    .filter(({ status }: Finding) => status === 'ok')
    .map(({ check }: Finding) => check)
  for (const check of ['authorization', 'database', 'permissions', 'settings'])
    t.true(inside.includes(check), stdout)
  t.true(inside.includes(service.dialect.name === 'SQLite' ? 'journal' : 'database-clock'))
})

/** A proxy as people misconfigure it. */
async function withProxy(
  url: string,
  change: (headers: IncomingHttpHeaders) => void,
  work: (publicUrl: string) => Promise<void>,
): Promise<void> {
  const proxy = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers }
    change(headers)
    const target = new URL(incoming.url ?? '/', url)
    request(target, { method: incoming.method ?? 'GET', headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, { ...answer.headers, Server: 'nginx' })
      answer.pipe(outgoing)
    }).end()
  })
  await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve))
  try {
    await work(`http://127.0.0.1:${(proxy.address() as AddressInfo).port}`)
  } finally {
    proxy.closeAllConnections()
    proxy.close()
  }
}

onSqlite(
  'doctor sees a proxy that keeps the Authorization header, and another issuer',
  async (t, service) => {
    const spoil = (headers: IncomingHttpHeaders) => {
      delete headers.authorization
    }
    await withProxy(service.url, spoil, async (publicUrl) => {
      const found = await checkFromOutside({
        publicUrl,
        trustProxy: 0,
        corsOrigins: ['https://app.example.com'],
        port: 8080,
      })
      t.is(of(found, 'authorization')?.status, 'fail')
      t.regex(
        of(found, 'authorization')?.fix ?? '',
        /proxy_set_header Authorization \$http_authorization;/,
      )
      t.is(of(found, 'issuer')?.status, 'fail')
      t.true(of(found, 'issuer')?.message.includes(JSON.stringify(service.url)))
      t.is(of(found, 'proxy')?.status, 'warn')
      t.regex(of(found, 'proxy')?.fix ?? '', /TRUST_PROXY/)
      t.is(of(found, 'cors')?.status, 'fail', 'the service was started without CORS_ORIGINS')
    })
  },
)

onSqlite('doctor sees that clients could make up their address', async (t, service) => {
  const port = Number(new URL(service.url).port)
  const found = await checkFromOutside({
    publicUrl: service.url,
    trustProxy: 1,
    corsOrigins: [],
    port,
  })
  t.regex(of(found, 'proxy')?.message ?? '', /can make up their address/)
})

test('doctor fails on what is open or absent, and says how to mend it', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-doctor-'))
  try {
    const file = join(folder, 'secret')
    writeFileSync(file, 'kT5-Wq0zR8_yB2nL7vXc4JdGfH1sMpA9uEoKiNtQ')
    chmodSync(file, 0o644)
    const env = {
      JWT_SECRET_FILE: file,
      PUBLIC_URL: 'http://id.example.invalid',
      DATA_DIR: join(folder, 'data'),
    }
    const { code, stdout } = await runCli(['doctor'], { env })
    t.is(code, 1)
    t.regex(
      stdout,
      /FAIL {2}reach +http:\/\/id\.example\.invalid cannot be reached: .*\n +Start the service/,
    )
    t.regex(stdout, /warn {2}database +There is no database at .* yet\.\n/)
    t.regex(stdout, /FAIL {2}secrets +.*secret has mode 0644: .*\n +chmod 600 .*secret\n/)
    t.regex(stdout, /FAIL {2}settings +PUBLIC_URL is http: /)
    t.regex(stdout, /\n3 failures, 1 warning\.\n$/)
    t.false(stdout.includes('kT5-Wq0zR8'))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

for (const [seconds, status] of [
  [0.9, 'ok'],
  [-10, 'warn'],
  [3600, 'fail'],
] as const) {
  test(`a clock that is ${seconds} s ahead is ${status}`, (t) => {
    t.is(judgeClock('clock', 'the service', seconds).status, status)
  })
}
