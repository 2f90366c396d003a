import { gzipSync } from 'node:zlib'
import type { ExecutionContext } from 'ava'
import { sendBytes, sendPlain, statusOf } from '../helpers/raw-request.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const secret = 'twk_this-must-never-be-logged'
const fields = `api_key=x&api_secret=${secret}`

/** A request as text, for bytes that no client would send. */
function post(path: string, headers: readonly string[], body: string): string {
  return [`POST ${path} HTTP/1.1`, 'Host: test', ...headers, '', body].join('\r\n')
}

const form = 'Content-Type: application/x-www-form-urlencoded'
const paths = ['/wp/v2/token', '/?rest_route=/wp/v2/token', '/login']

async function administrator(service: Service) {
  await service.createUser('root', 'administrator')
  return service.logIn('root')
}

/** The service has come through whatever was sent: it works, and has nothing to complain about. */
async function assertHealthy(t: ExecutionContext, service: Service): Promise<void> {
  const user = await service.createUser('grace')
  const { access_token } = await service.exchange(await service.mint(user.id))
  const answer = await service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
  t.is(answer.status, 200)
  t.notRegex(service.log(), /"level":[56]0/)
  t.false(service.log().includes(secret))
  // Node's parser errors carry the raw request as numbers.
  t.notRegex(service.log(), /rawPacket/)
}

onEachDatabase('bytes that are no HTTP, or contradict themselves, are 400', async (t, service) => {
  const close = 'Connection: close'
  for (const path of paths) {
    for (const bytes of [
      'hello\r\n\r\n',
      '\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03',
      '\0\0\0\0',
      `GET ${path} HTTP/1.1\r\n\r\n`,
      `GET ${path} HTTP/9.9\r\nHost: x\r\n\r\n`,
      `G\xcbT ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nX: a\0b\r\n\r\n`,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAuthorization : Bearer x\r\n\r\n`,
      `FOO ${path} HTTP/1.1\r\nHost: x\r\n\r\n`,
      post(path, [form, 'Content-Length: -1', close], fields),
      post(path, [form, 'Content-Length: x', close], fields),
      post(path, [form, 'Content-Length: 5', 'Content-Length: 6', close], fields),
      post(path, [form, 'Content-Length: 5', 'Transfer-Encoding: chunked', close], fields),
      post(path, [form, 'Transfer-Encoding: chunked, gzip', close], fields),
      post(path, [form, 'Transfer-Encoding: chunked', close], `zz\r\n${fields}`),
      post(path, [form, 'Transfer-Encoding: chunked', close], `-1\r\n${fields}\r\n0\r\n\r\n`),
      post(path, [form, 'Transfer-Encoding: chunked', close], `5\r\n${fields}\r\n0\r\n\r\n`),
    ]) {
      const answer = await sendBytes(service.url, bytes)
      t.is(statusOf(answer), 400, `${JSON.stringify(bytes).slice(0, 80)}: ${answer}`)
    }
  }
  await assertHealthy(t, service)
})

onEachDatabase('a body shorter or longer than announced does no harm', async (t, service) => {
  for (const path of paths) {
    const shorter = post(path, [form, 'Content-Length: 5000'], fields)
    t.is(
      await sendBytes(service.url, shorter, { hangUpAfter: 50 }),
      '',
      'nobody waits for an answer',
    )

    // What follows the announced body is read as a request, and is none.
    const longer = await sendBytes(service.url, post(path, [form, 'Content-Length: 9'], fields))
    t.regex(longer, /HTTP\/1\.1 400 Bad Request\r\nConnection: close/)

    const unfinished = post(path, [form, 'Transfer-Encoding: chunked'], `5\r\napi_k\r\n`)
    t.is(await sendBytes(service.url, unfinished, { hangUpAfter: 50 }), '')
  }
  await assertHealthy(t, service)
})

onEachDatabase('uploads that break off leave nothing hanging', async (t, service) => {
  const boundary = 'Content-Type: multipart/form-data; boundary=x'
  const part = `--x\r\nContent-Disposition: form-data; name="api_secret"\r\n\r\n${secret}`
  const file = '--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\nfile'
  const gzipped = gzipSync(fields).subarray(0, 20).toString('latin1')
  const bodies: [string[], string][] = [
    [[boundary], part],
    [[boundary], file],
    [[boundary], '--x\r\nContent-Dispo'],
    [['Content-Type: application/json'], `{"api_secret":"${secret}`],
    [[form, 'Content-Encoding: gzip'], gzipped],
    [[form], fields],
  ]
  await Promise.all(
    paths.flatMap((path) =>
      bodies.flatMap(([headers, body]) =>
        [
          post(path, [...headers, 'Content-Length: 60000'], body),
          post(
            path,
            [...headers, 'Transfer-Encoding: chunked'],
            `${body.length.toString(16)}\r\n${body}\r\n`,
          ),
        ].map(async (bytes) => {
          t.is(await sendBytes(service.url, bytes, { hangUpAfter: 100 }), '')
        }),
      ),
    ),
  )
  // A client that goes away before its answer is written.
  for (let i = 0; i < 20; i++) {
    const bytes = post('/wp/v2/token', [form, `Content-Length: ${fields.length}`], fields)
    await sendBytes(service.url, bytes, { hangUpAfter: 0 })
  }
  await assertHealthy(t, service)
})

onEachDatabase('header bombs are 431, and end their connection', async (t, service) => {
  const kilobyte = 'x'.repeat(1024)
  for (const path of paths) {
    for (const lines of [
      [`X: ${kilobyte.repeat(20)}`],
      [`Authorization: Bearer ${kilobyte.repeat(20)}`],
      [`Cookie: ${kilobyte.repeat(20)}`],
      Array.from({ length: 20 }, (_, i) => `X-${i}: ${kilobyte}`),
      Array.from({ length: 12_000 }, () => 'X: y'),
      [`${kilobyte.repeat(20)}: y`],
    ]) {
      for (const method of ['GET', 'POST']) {
        const bytes = [`${method} ${path} HTTP/1.1`, 'Host: x', ...lines, '', ''].join('\r\n')
        const answer = await sendBytes(service.url, bytes)
        t.is(statusOf(answer), 431, `${method} ${path} ${lines[0]?.slice(0, 30)}`)
        t.regex(answer, /Connection: close/)
      }
    }
    const address = `GET ${path}&${kilobyte.repeat(20)} HTTP/1.1\r\nHost: x\r\n\r\n`
    t.is(statusOf(await sendBytes(service.url, address)), 431)
  }
  await assertHealthy(t, service)
})

onEachDatabase('more than a hundred headers are 431, none is left out', async (t, service) => {
  for (const path of ['/wp/v2/token/validate', '/wp-json/', '/forward-auth']) {
    for (const [count, isRefused] of [
      [90, false],
      [101, true],
      [1500, true],
    ] as const) {
      const lines = Array.from({ length: count }, (_, i) => `X${i}: y`)
      const head = [`GET ${path} HTTP/1.1`, 'Host: x', 'Connection: close', ...lines, '', '']
      const status = statusOf(await sendBytes(service.url, head.join('\r\n')))
      t.is(status === 431, isRefused, `${path} with ${count} headers: ${status}`)
    }
  }
  await assertHealthy(t, service)
})

onEachDatabase('names of prototypes in a query are names like any other', async (t, service) => {
  const { headers } = await administrator(service)
  for (const name of ['__proto__', 'constructor', '__proto__[x]', 'constructor[prototype][x]']) {
    const query = `${encodeURIComponent(name)}=polluted`
    for (const path of [
      '/wp-json/',
      '/wp/v2/users',
      '/session',
      '/login',
      '/profile',
      '/healthz',
    ]) {
      const { status } = await sendPlain(service.url, `${path}?${query}`, { headers })
      t.true(status < 400, `${path}?${query}: ${status}`)
    }
    const asked = await sendPlain(service.url, `/?rest_route=/wp/v2/users/me&${query}`, { headers })
    t.is(asked.status, 200)
  }
  t.is(Reflect.get({}, 'x'), undefined)
  t.is(Reflect.get({}, 'polluted'), undefined)
  await assertHealthy(t, service)
})

onEachDatabase(
  'as long as Node reads them, long headers and addresses are just wrong',
  async (t, service) => {
    const long = 'x'.repeat(12_000)
    for (const [headers, path, status] of [
      [bearer(long), '/wp/v2/token/validate', 403],
      [bearer(`${long}.${long.slice(0, 2000)}.x`), '/wp/v2/users/me', 403],
      [{ Cookie: `twinkey_session=${long}`, 'X-WP-Nonce': 'x' }, '/wp/v2/users/me', 403],
      [{ Cookie: Array(1000).fill('a=b').join(';') }, '/session', 401],
      [{ 'X-WP-Nonce': long }, '/wp/v2/users/me', 401],
      [{ 'User-Agent': long }, '/wp-json/', 200],
      [{ 'X-Forwarded-For': `${long},1.2.3.4` }, '/wp-json/', 200],
      [{}, `/wp/v2/${long}`, 404],
      [{}, `/wp/v2/key-pair/1/${long}`, 404],
      [{}, `/wp-json/?${long}=${long.slice(0, 2000)}`, 200],
    ] as [Record<string, string>, string, number][]) {
      const answer = await sendPlain(service.url, path, { headers })
      t.is(answer.status, status, `${path.slice(0, 50)} ${Object.keys(headers)}`)
    }
    await assertHealthy(t, service)
  },
)

onEachDatabase(
  'an unknown expectation is 417, and 100-continue is answered',
  async (t, service) => {
    const lines = (expect: string) => [
      form,
      `Content-Length: ${fields.length}`,
      `Expect: ${expect}`,
    ]
    const close = 'Connection: close'
    for (const path of paths) {
      const unknown = await sendBytes(service.url, post(path, [...lines('magic'), close], fields))
      t.is(statusOf(unknown), 417)
      const known = await sendBytes(
        service.url,
        post(path, [...lines('100-continue'), close], fields),
      )
      t.regex(known, /^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 (403|400) /)
    }
    await assertHealthy(t, service)
  },
)

onEachDatabase('the user agent is kept as far as it fits', async (t, service) => {
  await service.createUser('ada')
  for (const agent of ['x'.repeat(5000), 'caf\xe9 \xff', '']) {
    const { status } = await sendPlain(service.url, '/login', {
      method: 'POST',
      headers: { 'User-Agent': agent, 'Content-Type': 'application/json' },
      body: '{"user_login":"ada","password":"ada-pass-1"}',
    })
    t.is(status, 200)
  }
  const agents = await service.runtime.db('sessions').pluck('user_agent')
  t.deepEqual(
    agents.map((agent: string | null) => agent?.length ?? 0).sort((a, b) => a - b),
    [0, 6, 255],
  )
  await assertHealthy(t, service)
})
