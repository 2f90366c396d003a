import type { Pair, Service } from './with-service.js'

export const jwtAuthApi = '/wp-json/jwt-auth/v1'

export interface JwtAuthAnswer {
  status: number
  body: any
  headers: Headers
  /** The refresh token that the answer sets. */
  cookie: string | undefined
}

interface Init {
  fields?: Record<string, string>
  /** The refresh token that is sent as a cookie. */
  cookie?: string | undefined
  headers?: Record<string, string>
}

/** A POST as clients of usefulteam/jwt-auth send it. */
export async function post(
  service: Service,
  path: string,
  { fields, cookie, headers = {} }: Init = {},
): Promise<JwtAuthAnswer> {
  const response = await service.fetch(jwtAuthApi + path, {
    method: 'POST',
    headers: { ...headers, ...(cookie !== undefined && { Cookie: `refresh_token=${cookie}` }) },
    body: fields ? new URLSearchParams(fields) : null,
  })
  return readAnswer(response)
}

export async function readAnswer(response: Response): Promise<JwtAuthAnswer> {
  const text = await response.text()
  const set = response.headers.getSetCookie().find((line) => line.startsWith('refresh_token='))
  return {
    status: response.status,
    body: text === '' ? undefined : JSON.parse(text),
    headers: response.headers,
    cookie: set === undefined ? undefined : /^refresh_token=([^;]*)/.exec(set)?.[1],
  }
}

/** @returns The access token, and the refresh token of its cookie. */
export async function logInWithPair(
  service: Service,
  pair: Pair,
  device?: string,
): Promise<{ token: string; cookie: string }> {
  const fields = { ...pair, ...(device !== undefined && { device }) }
  const { status, body, cookie } = await post(service, '/token', { fields })
  if (status !== 200 || !cookie) throw new Error(`log-in: ${status} ${JSON.stringify(body)}`)
  return { token: body.data.token, cookie }
}

export async function refreshed(
  service: Service,
  cookie: string,
  fields?: Record<string, string>,
): Promise<string> {
  const answer = await post(service, '/token/refresh', { cookie, ...(fields && { fields }) })
  if (!answer.cookie) throw new Error(`refresh: ${answer.status} ${JSON.stringify(answer.body)}`)
  return answer.cookie
}
