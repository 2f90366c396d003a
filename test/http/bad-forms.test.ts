import '../helpers/own-tmpdir.js'
import { readdirSync, rmSync } from 'node:fs'
import test from 'ava'
import { assertCalm, assertRefusal, bodyRoutes, sendBody } from '../helpers/body-routes.js'
import { boundary, multipart, multipartType, type Part } from '../helpers/multipart.js'
import { ownTmpdir } from '../helpers/own-tmpdir.js'
import { onEachDatabase } from '../helpers/with-service.js'

test.after.always('remove the folder', () => rmSync(ownTmpdir, { recursive: true, force: true }))
const leftBehind = () => readdirSync(ownTmpdir).filter((name) => !name.startsWith('twinkey-'))

const form = 'application/x-www-form-urlencoded'
const partsOf = (fields: Record<string, string>): Part[] =>
  Object.entries(fields).map(([name, value]) => ({ name, value }))

onEachDatabase('a field sent twice is refused, not guessed', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    const { field, fields } = route
    const good = new URLSearchParams(fields).toString()
    for (const again of [
      `${field}=x`,
      `${field}=`,
      `${field}[]=x`,
      `${field}[a]=x`,
      `${field}[0]=x`,
    ]) {
      for (const body of [`${good}&${again}`, `${again}&${good}`]) {
        const answer = await sendBody(service, route, { type: form, body })
        assertRefusal(t, answer, 400, ['rest_invalid_param'], `${route.path} ${again}`)
      }
    }
    const many = `${good}${`&${field}=x`.repeat(50)}`
    const answer = await sendBody(service, route, { type: form, body: many })
    assertRefusal(t, answer, 400, ['rest_invalid_param', 'rest_invalid_body'], many.slice(0, 60))

    for (const value of ['x', '', fields[field] ?? '']) {
      for (const parts of [
        [...partsOf(fields), { name: field, value }],
        [{ name: field, value }, ...partsOf(fields)],
      ]) {
        const sent = { type: multipartType, body: multipart(parts) }
        const twice = await sendBody(service, route, sent)
        assertRefusal(t, twice, 400, ['rest_invalid_param'], `${route.path}, two parts`)
      }
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase(
  'names with brackets, dots and the like are no parameters of ours',
  async (t, service) => {
    const { routes, secrets } = await bodyRoutes(service)
    for (const route of routes) {
      const { field } = route
      for (const body of [
        `${field}.x=y`,
        `${field} =y`,
        `%00${field}=y`,
        `x[${field}]=y`,
        `__proto__[${field}]=y`,
        `constructor[prototype][${field}]=y`,
        `a[__proto__][${field}]=y`,
        `[]=${field}`,
        '=&==&=&&&&',
        '&',
        '%',
        '%=%',
        'a[b][c][d][e][f][g]=x&[[[[=]]]]&a[][][]=&a[=]&]=[',
        Array.from({ length: 99 }, (_, i) => `x${i}=${i}`).join('&'),
        Array.from({ length: 500 }, (_, i) => `x${i}=${i}`).join('&'),
        Array.from({ length: 99 }, (_, i) => `x[${i}]=${i}`).join('&'),
        '{"name":"x"}',
        '<xml/>',
      ]) {
        const answer = await sendBody(service, route, { type: form, body })
        t.true([400, 403].includes(answer.status), `${route.path} ${body}: ${answer.text}`)
        t.false(field in {})
      }
    }
    assertCalm(t, service, secrets)
  },
)

onEachDatabase('a form of many fields is read up to a hundred of them', async (t, service) => {
  const { routes } = await bodyRoutes(service)
  for (const route of routes.slice(0, 4)) {
    const count = Object.keys(route.fields).length
    const more = Array.from({ length: 100 - count }, (_, i) => [`x${i}`, '1'])
    const fields = Object.fromEntries([...more, ...Object.entries(route.fields)])
    const body = new URLSearchParams(fields).toString()
    t.is((await sendBody(service, route, { type: form, body })).status, 200)
    const parts = { type: multipartType, body: multipart(partsOf(fields)) }
    t.is((await sendBody(service, route, parts)).status, 200)

    const tooMany = await sendBody(service, route, { type: form, body: `one=more&${body}` })
    assertRefusal(t, tooMany, 400, ['rest_invalid_body'], 'urlencoded')
    const oneMore = [{ name: 'one', value: 'more' }, ...partsOf(fields)]
    const answer = await sendBody(service, route, {
      type: multipartType,
      body: multipart(oneMore),
    })
    assertRefusal(t, answer, 413, ['rest_request_too_large'], 'multipart')
  }
})

onEachDatabase('a multipart body that is none is refused', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    const good = multipart(partsOf(route.fields))
    const text = Buffer.from(good).toString()
    const bad: [string, string | Uint8Array][] = [
      ['multipart/form-data', good],
      ['multipart/form-data; boundary=', good],
      ['multipart/form-data; boundary=""', good],
      ['multipart/form-data; boundary=another', good],
      [`multipart/form-data; boundary=${'x'.repeat(5000)}`, good],
      [multipartType, good.subarray(0, -5)],
      [multipartType, good.subarray(0, -boundary.length)],
      [multipartType, good.subarray(0, 30)],
      [multipartType, good.subarray(0, 1)],
      [multipartType, text.replaceAll('\r\n', '\n')],
      [multipartType, text.replaceAll('\r\n', '\r')],
      [multipartType, `--${boundary}`],
      [multipartType, `--${boundary}\r\n\r\n`],
      [multipartType, `--${boundary}\r\n: x\r\n\r\nx\r\n--${boundary}--\r\n`],
      [multipartType, '\0'.repeat(1000)],
      [multipartType, '{"name":"x"}'],
      [multipartType, new URLSearchParams(route.fields).toString()],
    ]
    for (const [index, [type, body]] of bad.entries()) {
      const answer = await sendBody(service, route, { type, body })
      assertRefusal(t, answer, 400, ['rest_invalid_body'], `${route.path} ${index}`)
    }
    const empty = await sendBody(service, route, { type: multipartType, body: `--${boundary}--` })
    t.true([400, 403].includes(empty.status))
  }
  t.deepEqual(leftBehind(), [])
  assertCalm(t, service, secrets)
})

const textHeaders = [
  ['Content-Type: text/plain'],
  ['Content-Type: text/plain; charset=utf-8'],
  ['content-type: application/octet-stream'],
  ['Content-Transfer-Encoding: 8bit'],
  ['Content-Transfer-Encoding: BINARY'],
  ['Content-Type: text/plain; charset=UTF-8', 'Content-Transfer-Encoding: 8bit'],
  ['Content-Transfer-Encoding: 7bit', 'Content-Length: 3', 'X-Unknown: header'],
]

onEachDatabase('a text is a text, whatever headers a client gives its part', async (t, service) => {
  const { routes } = await bodyRoutes(service)
  for (const route of routes.slice(0, 4)) {
    for (const headers of textHeaders) {
      const parts = partsOf(route.fields).map((part) => ({ ...part, headers }))
      const sent = { type: multipartType, body: multipart(parts) }
      const answer = await sendBody(service, route, sent)
      t.is(answer.status, 200, `${route.path} ${headers}: ${answer.text}`)
    }
    const base64 = partsOf(route.fields).map(({ name, value }) => ({
      name,
      value: btoa(String(value)),
      headers: ['Content-Transfer-Encoding: base64'],
    }))
    const sent = { type: multipartType, body: multipart(base64) }
    t.is((await sendBody(service, route, sent)).status, 200, 'base64')
    for (const encoding of ['quoted-printable', 'x-unknown', 'constructor']) {
      const headers = [`Content-Transfer-Encoding: ${encoding}`]
      const parts = partsOf(route.fields).map((part) => ({ ...part, headers }))
      const answer = await sendBody(service, route, {
        type: multipartType,
        body: multipart(parts),
      })
      assertRefusal(t, answer, 400, ['rest_invalid_body'], encoding)
    }
  }
  const name = 'ü 👍 „naïve“'
  const [, , , mint] = routes
  const headers = ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: 8bit']
  const body = multipart([{ name: 'name', value: name, headers }])
  const minted = await sendBody(service, mint as (typeof routes)[number], {
    type: multipartType,
    body,
  })
  t.is(JSON.parse(minted.text).row.name, name)
})

const fileDispositions = [
  '; filename="a.txt"',
  '; filename=a.txt',
  '; filename=""',
  "; filename*=UTF-8''a.txt",
  '; FILENAME="a.txt"',
  ';filename="../../../../tmp/evil"',
  '; filename="a\\"b.php"',
]

onEachDatabase('a file is refused by name, and leaves nothing behind', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    for (const disposition of fileDispositions) {
      for (const headers of [[], ['Content-Type: text/plain']]) {
        for (const name of [route.field, 'attachment']) {
          const others = partsOf(route.fields).filter((part) => part.name !== name)
          const parts = [...others, { name, value: 'content', disposition, headers }]
          const sent = { type: multipartType, body: multipart(parts) }
          const answer = await sendBody(service, route, sent)
          assertRefusal(t, answer, 400, ['rest_invalid_param'], `${route.path} ${disposition}`)
          t.deepEqual(JSON.parse(answer.text).data.params, { [name]: 'must not be a file' })
        }
      }
    }
    const value = 'x'.repeat(1024 * 1024)
    const big = [{ name: route.field, value, disposition: '; filename="big"' }]
    const answer = await sendBody(service, route, {
      type: multipartType,
      body: multipart(big),
      headers: { 'Transfer-Encoding': 'chunked' },
    })
    assertRefusal(t, answer, 413, ['rest_request_too_large'], route.path)
    const proto = [{ name: '__proto__', value: 'x', disposition: '; filename="x"' }]
    const odd = await sendBody(service, route, {
      type: multipartType,
      body: multipart([...partsOf(route.fields), ...proto]),
    })
    assertRefusal(t, odd, 400, ['rest_invalid_param'], 'a file called __proto__')
  }
  t.deepEqual(leftBehind(), [])
  assertCalm(t, service, secrets)
})
