import { gzipSync } from 'node:zlib'
import { assertCalm, assertRefusal, bodyRoutes, sendBody } from '../helpers/body-routes.js'
import { onEachDatabase } from '../helpers/with-service.js'

const type = 'application/json'

onEachDatabase(
  'a parameter of the wrong type is named, wherever it is sent',
  async (t, service) => {
    const { routes, secrets } = await bodyRoutes(service)
    for (const route of routes) {
      for (const value of [
        '1',
        '0',
        '-1.5',
        '1e400',
        'true',
        'false',
        '[]',
        '["x"]',
        '{}',
        '{"x":"y"}',
      ]) {
        const fields = { ...route.fields, [route.field]: '@' }
        const body = JSON.stringify(fields).replace('"@"', value)
        const what = `${route.path} ${body}`
        const answer = await sendBody(service, route, { type, body })
        assertRefusal(t, answer, 400, ['rest_invalid_param'], what)
        const { message, data } = JSON.parse(answer.text)
        t.is(message, `Invalid parameter(s): ${route.field}`)
        t.deepEqual(data.params, { [route.field]: 'must be a string' })
      }
    }
    assertCalm(t, service, secrets)
  },
)

const malformed = [
  '{',
  '}',
  '{"name"}',
  '{"name":}',
  "{'name':'x'}",
  '{name:"x"}',
  '{"name":"x",}',
  '{"name":"x"} x',
  '{"name":"x"}{"name":"y"}',
  '{"name":"x"}\0',
  '{"name":"a\nb"}',
  '{"name":"\\x"}',
  '{"name":"\\u12"}',
  '{"name":"x"',
  'name=x',
  'undefined',
  'NaN',
  '// comment\n{}',
  '[',
  '{"a":'.repeat(5000),
  '['.repeat(30_000),
]
const notAnObject = ['null', 'true', '0', '"text"', '[]', '["name"]', '[{"name":"x"}]', '[[[[]]]]']

onEachDatabase('what is no JSON object is refused', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    for (const body of [...malformed, ...notAnObject]) {
      const answer = await sendBody(service, route, { type, body })
      const what = `${route.path} ${body.slice(0, 40)}`
      assertRefusal(t, answer, 400, ['rest_invalid_json'], what)
      t.false(answer.text.includes('name'), 'the answer does not repeat the body')
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase('names of Object’s own are neither parameters nor poison', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    const inner = JSON.stringify({ ...route.fields, user_id: 1 })
    for (const body of [
      `{"__proto__":${inner}}`,
      `{"constructor":{"prototype":${inner}}}`,
      `{"prototype":${inner},"toString":${inner},"hasOwnProperty":${inner}}`,
      `{"a":{"__proto__":${inner}}}`,
      `{"\\u005f_proto__":${inner}}`,
    ]) {
      const answer = await sendBody(service, route, { type, body })
      t.true([400, 403].includes(answer.status), `${route.path} ${body}: ${answer.text}`)
      t.false('name' in {} || 'api_key' in {} || 'user_id' in {})
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase(
  'much nesting and many names beside a good body change nothing',
  async (t, service) => {
    const { routes } = await bodyRoutes(service)
    for (const route of routes.slice(0, 4)) {
      const good = JSON.stringify(route.fields).slice(1)
      const many = Array.from({ length: 3000 }, (_, i) => `"x${i}":0,`).join('')
      for (const body of [
        `{"x":${'['.repeat(9000)}${']'.repeat(9000)},${good}`,
        `{"x":${'{"y":'.repeat(4000)}0${'}'.repeat(4000)},${good}`,
        `{${many}${good}`,
      ]) {
        const { status, text } = await sendBody(service, route, { type, body })
        t.is(status, 200, `${route.path}: ${text.slice(0, 200)}`)
      }
    }
  },
)

onEachDatabase('null is absent, and an empty body is an empty object', async (t, service) => {
  const { routes } = await bodyRoutes(service)
  for (const route of routes) {
    const nothing = Object.fromEntries(Object.keys(route.fields).map((name) => [name, null]))
    for (const body of ['', '{}', JSON.stringify(nothing)]) {
      const answer = await sendBody(service, route, { type, body })
      const isToken = route.path.includes('token')
      const code = isToken
        ? 'rest_authentication_required_api_key_secret'
        : 'rest_missing_callback_param'
      assertRefusal(t, answer, isToken ? 403 : 400, [code], `${route.path} ${body}`)
    }
  }
})

onEachDatabase('a compressed body is read, if it is one and not a bomb', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes.slice(0, 4)) {
    const fields = JSON.stringify(route.fields)
    const bomb = gzipSync(JSON.stringify({ ...route.fields, x: 'x'.repeat(20_000_000) }))
    const form = 'application/x-www-form-urlencoded'
    const send = (body: string | Buffer, encoding: string, sentType = type) =>
      sendBody(service, route, { type: sentType, body, headers: { 'Content-Encoding': encoding } })
    t.is((await send(gzipSync(fields), 'gzip')).status, 200)
    const urlencoded = new URLSearchParams(route.fields).toString()
    t.is((await send(gzipSync(urlencoded), 'gzip', form)).status, 200)
    const refusals: [Promise<any>, number, string][] = [
      [send(bomb, 'gzip'), 413, 'rest_request_too_large'],
      [send(fields, 'gzip'), 400, 'rest_invalid_json'],
      [send(gzipSync(fields).subarray(0, 20), 'gzip'), 400, 'rest_invalid_json'],
      [send(fields, 'br'), 400, 'rest_invalid_json'],
      [send(fields, 'gzip', form), 400, 'rest_invalid_body'],
      [send(fields, 'compress'), 415, 'rest_unsupported_media_type'],
      [send(gzipSync(gzipSync(fields)), 'gzip, gzip'), 415, 'rest_unsupported_media_type'],
    ]
    for (const [index, [answer, status, code]] of refusals.entries()) {
      assertRefusal(t, await answer, status, [code], `${route.path} ${index}`)
    }
  }
  assertCalm(t, service, secrets)
})
