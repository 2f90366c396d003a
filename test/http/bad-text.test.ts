import { gzipSync } from 'node:zlib'
import {
  assertCalm,
  assertRefusal,
  bodyRoutes,
  encodeFields,
  encodings,
  sendBody,
} from '../helpers/body-routes.js'
import { onEachDatabase } from '../helpers/with-service.js'

const latin1 = (text: string) => Buffer.from(text, 'latin1')

/** Bytes that are no UTF-8, or no text. */
const notText: Record<string, Buffer> = {
  'a byte that UTF-8 never has': latin1('a\xffb'),
  'Latin-1': latin1('caf\xe9'),
  'a character cut off at the end': latin1('caf\xc3'),
  'a continuation without a start': latin1('\x80'),
  'an overlong slash': latin1('\xc0\xaf'),
  'half of a surrogate pair': latin1('\xed\xa0\xbd'),
  'a character beyond Unicode': latin1('\xf4\x90\x80\x80'),
  'UTF-16': Buffer.from('\ufeffname', 'utf16le'),
}

onEachDatabase('bytes that are no UTF-8 are refused, in every encoding', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    for (const [what, bytes] of Object.entries(notText)) {
      for (const encoding of encodings) {
        const sent = encodeFields(encoding, { ...route.fields, [route.field]: bytes })
        const answer = await sendBody(service, route, sent)
        const codes = ['rest_invalid_param', 'rest_invalid_json']
        assertRefusal(t, answer, 400, codes, `${route.path} ${encoding}, ${what}`)
      }
      const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('')
      const other = new URLSearchParams(route.fields)
      other.delete(route.field)
      const answer = await sendBody(service, route, {
        type: 'application/x-www-form-urlencoded',
        body: `${other}&${route.field}=${percent}`,
      })
      assertRefusal(t, answer, 400, ['rest_invalid_param'], `${route.path} ${percent}`)
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase('NUL and lone surrogates are refused, in every encoding', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    for (const encoding of encodings) {
      for (const value of ['\0', 'a\0', '\0b', 'a\0b']) {
        const sent = encodeFields(encoding, { ...route.fields, [route.field]: value })
        const answer = await sendBody(service, route, sent)
        assertRefusal(t, answer, 400, ['rest_invalid_param'], `${route.path} ${encoding}`)
        t.deepEqual(JSON.parse(answer.text).data.params, { [route.field]: 'must not contain NUL' })
      }
    }
    for (const value of ['\ud83d', '\udc4d\ud83d', 'a\udc00b']) {
      const sent = encodeFields('json', { ...route.fields, [route.field]: value })
      const answer = await sendBody(service, route, sent)
      assertRefusal(t, answer, 400, ['rest_invalid_param'], route.path)
      t.deepEqual(JSON.parse(answer.text).data.params, { [route.field]: 'must be valid UTF-8' })
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase('a megabyte is too large, however it is sent', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  const megabyte = 'x'.repeat(1024 * 1024)
  for (const route of routes) {
    for (const encoding of encodings) {
      for (const fields of [
        { ...route.fields, [route.field]: megabyte },
        { ...route.fields, unknown: megabyte },
        { [megabyte]: '', ...route.fields },
      ]) {
        const sent = encodeFields(encoding, fields)
        for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<
          string,
          string
        >[]) {
          const answer = await sendBody(service, route, { ...sent, headers })
          const what = `${route.path} ${encoding} ${Object.keys(headers)}`
          assertRefusal(t, answer, 413, ['rest_request_too_large'], what)
        }
      }
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase(
  'a field of 16 384 characters is too long to be anything of ours',
  async (t, service) => {
    const { routes, secrets } = await bodyRoutes(service)
    for (const route of routes) {
      for (const encoding of encodings) {
        const long = encodeFields(encoding, { ...route.fields, [route.field]: 'x'.repeat(16_385) })
        const answer = await sendBody(service, route, long)
        assertRefusal(t, answer, 400, ['rest_invalid_param'], `${route.path} ${encoding}`)
      }
    }
    assertCalm(t, service, secrets)
  },
)

const mediaTypes = [
  'text/plain',
  'text/html',
  'text/json',
  'application/xml',
  'application/octet-stream',
  'application/vnd.api+json',
  'application/x-ndjson',
  'application/jsonp',
  'multipart/mixed; boundary=x',
  'multipart/related; boundary=x',
  'image/png',
  'json',
  '/',
  ';',
  'application/x-www-form-urlencoded, application/json',
]

onEachDatabase('a body of an unknown kind, or of none, is 415', async (t, service) => {
  const { routes, secrets } = await bodyRoutes(service)
  for (const route of routes) {
    for (const { body } of encodings.map((encoding) => encodeFields(encoding, route.fields))) {
      for (const type of [undefined, ...mediaTypes]) {
        for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<
          string,
          string
        >[]) {
          const answer = await sendBody(service, route, { ...(type && { type }), body, headers })
          const codes = ['rest_unsupported_media_type']
          assertRefusal(t, answer, 415, codes, `${route.path} ${type}`)
        }
      }
    }
  }
  assertCalm(t, service, secrets)
})

onEachDatabase('a kind may be written in any case, with parameters', async (t, service) => {
  const { routes } = await bodyRoutes(service)
  for (const route of routes.slice(0, 4)) {
    for (const [encoding, type] of [
      ['json', 'Application/JSON'],
      ['json', 'application/json;charset=utf-8'],
      ['json', 'application/json ; charset="UTF-8"'],
      ['urlencoded', 'APPLICATION/x-www-form-urlencoded'],
      ['urlencoded', 'application/x-www-form-urlencoded; charset=UTF-8'],
    ] as const) {
      const { body } = encodeFields(encoding, route.fields)
      for (const headers of [{}, { 'Transfer-Encoding': 'chunked' }] as Record<string, string>[]) {
        const answer = await sendBody(service, route, { type, body, headers })
        t.is(answer.status, 200, `${route.path} ${type}: ${answer.text}`)
      }
      const chunked = { 'Transfer-Encoding': 'chunked', 'Content-Encoding': 'gzip' }
      const answer = await sendBody(service, route, {
        type,
        body: gzipSync(body),
        headers: chunked,
      })
      t.is(answer.status, 200)
    }
  }
})
