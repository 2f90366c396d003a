import type { ExecutionContext } from 'ava'
import { multipart, multipartType } from './multipart.js'
import { type PlainAnswer, sendPlain } from './raw-request.js'
import { passwordOf, type Service } from './with-service.js'

/** A route that reads a body, with a right one: each test spoils `field`. */
export interface BodyRoute {
  method: 'POST' | 'PATCH'
  path: string
  headers: Record<string, string>
  field: string
  fields: Record<string, string>
}

/** Every route that reads a body, and the secrets that must never get into the log. */
export async function bodyRoutes(service: Service) {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const { refresh_token } = await service.exchange(pair)
  const { headers } = await service.logIn('ada')
  const path = `/wp/v2/key-pair/${user.id}`
  const password = passwordOf('ada')
  const routes: BodyRoute[] = [
    // The hot lane's address, and one that only the router knows.
    { path: '/wp/v2/token', field: 'api_key', fields: { ...pair } },
    { path: '/?rest_route=/wp/v2/token', field: 'api_secret', fields: { ...pair } },
    { path: '/wp-json/wp/v2/token', field: 'refresh_token', fields: { refresh_token } },
    { path, field: 'name', fields: { name: 'Good' } },
    { path: '/login', field: 'user_login', fields: { user_login: 'ada', password } },
    { path: '/login', field: 'password', fields: { user_login: 'ada', password } },
    {
      path: '/wp/v2/users/me/password',
      field: 'new_password',
      fields: { old_password: 'wrong', new_password: 'long enough' },
    },
  ].map((route) => ({ ...route, method: 'POST' as const, headers }))
  routes.push({
    method: 'PATCH',
    path: `${path}/${pair.api_key}`,
    field: 'name',
    fields: { name: 'Good' },
    headers,
  })
  return { routes, secrets: [pair.api_secret, refresh_token, password] }
}

export type Encoding = 'json' | 'urlencoded' | 'multipart'
export const encodings: readonly Encoding[] = ['json', 'urlencoded', 'multipart']

/** @param fields Bytes are put into the body as they are: they may be no text at all. */
export function encodeFields(encoding: Encoding, fields: Record<string, string | Buffer>) {
  const entries = Object.entries(fields)
  if (encoding === 'multipart') {
    return {
      type: multipartType,
      body: multipart(entries.map(([name, value]) => ({ name, value }))),
    }
  }
  const isJson = encoding === 'json'
  const text = (value: string) => (isJson ? JSON.stringify(value) : encodeURIComponent(value))
  const pieces = entries.flatMap(([name, value], index) => [
    index === 0 ? '' : isJson ? ',' : '&',
    `${text(name)}${isJson ? ':' : '='}`,
    ...(typeof value === 'string' ? [text(value)] : isJson ? ['"', value, '"'] : [value]),
  ])
  const all = isJson ? ['{', ...pieces, '}'] : pieces
  return {
    type: isJson ? 'application/json' : 'application/x-www-form-urlencoded',
    body: Buffer.concat(all.map((piece) => Buffer.from(piece as string))),
  }
}

export interface SentBody {
  type?: string
  body: string | Uint8Array
  headers?: Record<string, string>
}

export function sendBody(service: Service, route: BodyRoute, sent: SentBody): Promise<PlainAnswer> {
  const { method, path } = route
  const type = sent.type === undefined ? {} : { 'Content-Type': sent.type }
  return sendPlain(service.url, path, {
    method,
    headers: { ...route.headers, ...type, ...sent.headers },
    body: Buffer.from(sent.body),
  })
}

/** Asserts a refusal in WordPress's form, with one of the codes. */
export function assertRefusal(
  t: ExecutionContext,
  answer: PlainAnswer,
  status: number,
  codes: readonly string[],
  what: string,
): void {
  t.is(answer.status, status, `${what}: ${answer.text}`)
  const body = JSON.parse(answer.text)
  t.true(codes.includes(body.code), `${what}: ${answer.text}`)
  t.is(body.data.status, status)
  t.is(answer.headers['content-type'], 'application/json; charset=utf-8')
}

/** Asserts that nothing went wrong on our side, and that no secret got into the log. */
export function assertCalm(
  t: ExecutionContext,
  service: Service,
  secrets: readonly string[],
): void {
  t.notRegex(service.log(), /"level":[56]0/)
  for (const secret of secrets) t.false(service.log().includes(secret))
}
