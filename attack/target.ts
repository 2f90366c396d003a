import { Agent, type IncomingHttpHeaders, type OutgoingHttpHeaders, request } from 'node:http'
import { Agent as TlsAgent, request as requestTls } from 'node:https'
import { connect } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { connect as connectTls } from 'node:tls'

export interface Sent {
  method?: string
  /** A list sends the header once for each value. */
  headers?: OutgoingHttpHeaders
  body?: string | Buffer
}

export interface Answer {
  status: number
  headers: IncomingHttpHeaders
  text: string
}

/** A deployment under attack. */
export interface Target {
  /** Its public address, without a trailing slash. */
  url: string
  /** Sends the path as it stands, below the deployment's own. @throws {NoAnswer} */
  send(path: string, sent?: Sent): Promise<Answer>
  /** Writes bytes (Latin-1) to a connection of its own. @returns All that came until it was closed. */
  sendBytes(text: string): Promise<string>
  /** How often an answer was "too many requests". */
  throttled(): number
}

export interface TargetOptions {
  /** Milliseconds without a sign of life after which a request counts as hanging. */
  timeout?: number
  /** Longest wait after a 429, in seconds; where more is asked for, the 429 is the answer. */
  patience?: number
}

/** No answer came: the connection was refused, cut, or was silent for too long. */
export class NoAnswer extends Error {
  override readonly name = 'NoAnswer'
}

export function createTarget(address: string, options: TargetOptions = {}): Target {
  const { timeout = 20_000, patience = 90 } = options
  const { protocol, hostname, port, pathname } = new URL(address)
  const isTls = protocol === 'https:'
  const base = pathname.replace(/\/+$/, '')
  const agentOptions = { keepAlive: true, maxSockets: 8 }
  const agent = isTls ? new TlsAgent(agentOptions) : new Agent(agentOptions)
  let throttled = 0

  function once(path: string, { method = 'GET', headers = {}, body }: Sent): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error) =>
        reject(new NoAnswer(`${method} ${path.slice(0, 100)}: ${error.message}`, { cause: error }))
      const call = isTls ? requestTls : request
      const bytes = body === undefined ? undefined : Buffer.from(body)
      // Node says nothing of the length of a DELETE's body.
      const length = bytes && { 'Content-Length': bytes.length }
      const outgoing = call(
        {
          hostname,
          port,
          path: base + path,
          method,
          headers: { ...length, ...headers },
          agent,
          timeout,
        },
        (response) => {
          let text = ''
          response.setEncoding('utf8')
          response.on('data', (chunk) => {
            text += chunk
          })
          response.once('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, text }),
          )
          response.once('error', fail)
        },
      )
      outgoing.once('timeout', () => outgoing.destroy(new Error(`silent for ${timeout} ms`)))
      outgoing.once('error', fail)
      // Not as a text: Node would send the headers in its encoding.
      outgoing.end(bytes)
    })
  }

  /** A connection that was kept may be closed just when it is used again: that is no finding. */
  async function onceOrAgain(path: string, sent: Sent): Promise<Answer> {
    try {
      return await once(path, sent)
    } catch (error) {
      const { code } = (error as NoAnswer).cause as NodeJS.ErrnoException
      if (code !== 'ECONNRESET' && code !== 'EPIPE') throw error
      return once(path, sent)
    }
  }

  return {
    url: `${new URL(address).origin}${base}`,
    async send(path, sent = {}) {
      for (let attempt = 1; ; attempt++) {
        const answer = await onceOrAgain(path, sent)
        if (answer.status !== 429) return answer
        throttled++
        const seconds = Number(answer.headers['retry-after'] ?? 1)
        if (attempt === 3 || !(seconds <= patience)) return answer
        await wait(seconds * 1000)
      }
    },
    sendBytes(text) {
      return new Promise((resolve, reject) => {
        const at = Number(port) || (isTls ? 443 : 80)
        const socket = isTls
          ? connectTls({ host: hostname, port: at, servername: hostname })
          : connect(at, hostname)
        let answer = ''
        socket.setTimeout(timeout, () => {
          socket.destroy()
          reject(new NoAnswer(`a connection stayed open for ${timeout} ms; it said ${answer}`))
        })
        socket.setEncoding('latin1')
        socket.on('data', (chunk) => {
          answer += chunk
        })
        // It may be closed before everything was read: what was said until then is the answer.
        socket.on('error', () => resolve(answer))
        socket.on('close', () => resolve(answer))
        socket.write(Buffer.from(text, 'latin1'))
      })
    },
    throttled: () => throttled,
  }
}
