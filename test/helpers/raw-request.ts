import { type IncomingHttpHeaders, request } from 'node:http'
import { connect } from 'node:net'

export interface PlainAnswer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

export interface PlainRequest {
  method?: string
  headers?: Record<string, string>
  body?: string | Buffer
}

/** Sends the path as it stands: `fetch` would first make `/../`, `\` and others into something else. */
export function sendPlain(
  url: string,
  path: string,
  { method = 'GET', headers = {}, body }: PlainRequest = {},
): Promise<PlainAnswer> {
  const { hostname, port } = new URL(url)
  // Not as a text: Node would then send the headers in the text's encoding, too.
  const bytes = body === undefined ? undefined : Buffer.from(body)
  // Node says nothing of the length of a DELETE's body, which then looks like another request.
  const isSilent = method === 'DELETE' && bytes !== undefined
  const all = { ...headers, ...(isSilent && { 'Content-Length': String(bytes.length) }) }
  return new Promise((resolve, reject) => {
    const sent = request(
      { hostname, port, path, method, headers: all, agent: false },
      (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (chunk) => {
          text += chunk
        })
        response.once('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
        )
        response.once('error', reject)
      },
    )
    sent.once('error', reject)
    sent.end(bytes)
  })
}

/**
 * Writes bytes to a connection, for what no HTTP client would send, and reads until the server closes
 * it. A text is sent as Latin-1, so that `\xff` is one byte.
 *
 * @param hangUpAfter Closes the connection from this side that many milliseconds later.
 * @returns All that the server sent; empty if nothing.
 */
export function sendBytes(
  url: string,
  bytes: string | Buffer,
  { hangUpAfter, timeout = 10_000 }: { hangUpAfter?: number; timeout?: number } = {},
): Promise<string> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname)
    let answer = ''
    socket.setTimeout(timeout, () => {
      socket.destroy()
      reject(new Error(`The connection was still open after ${timeout} ms; got: ${answer}`))
    })
    socket.setEncoding('latin1')
    socket.on('data', (chunk) => {
      answer += chunk
    })
    // The server may close before it has read everything; what it said until then is the answer.
    socket.on('error', () => resolve(answer))
    socket.on('close', () => resolve(answer))
    socket.write(typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes)
    if (hangUpAfter !== undefined) setTimeout(() => socket.destroy(), hangUpAfter)
  })
}

/** @returns The status of a raw answer, e.g. 431; 0 if there was none. */
export function statusOf(answer: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(answer)?.[1] ?? 0)
}
