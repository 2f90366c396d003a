import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import type { Knex } from 'knex'

/**
 * Learns every secret that passes a service, and finds those that it has written down. A secret is
 * what its form says it is, wherever it comes from: no test has to think of naming it.
 */
export interface SecretWatch {
  /** Remembers a secret that its form does not give away. */
  add(secret: string): void
  /** For a test that sends made-up secrets everywhere: only those of answers count from now on. */
  ignoreRequests(): void
  /** Remembers the secrets of a request, as far as it has been built from texts. */
  addRequest(init: RequestInit | undefined): void
  /** @returns The beginnings of those that stand in the text. */
  foundIn(text: string): string[]
}

/** Anything shorter may well stand in a text for other reasons. */
const shortest = 10

const forms = [
  // API secrets
  /twk_[0-9A-Za-z]{46}/g,
  // Tokens, whole and without their signature
  /eyJ[\w-]{10,}\.eyJ[\w-]{10,}(?:\.[\w-]{10,})?/g,
]

/** An API key is none, though somebody may send one where a password belongs. */
const apiKeyForm = /^\d{1,15}[0-9A-Za-z]{24}$/

/** Parameters and members whose values are nobody's business. */
const secretNames =
  /^(?:password|old_password|new_password|api_secret|client_secret|refresh_token|access_token)$/

export function createSecretWatch(server?: Server): SecretWatch {
  const secrets = new Set<string>()
  /** Of answers. Not searched before the end: a test may measure how long an answer takes. */
  const chunks: (string | Buffer)[] = []
  let readsRequests = true

  function add(secret: string): void {
    if (secret.length >= shortest && !apiKeyForm.test(secret)) secrets.add(secret)
  }

  function addText(text: string): void {
    for (const form of forms) for (const [secret] of text.matchAll(form)) add(secret)
  }

  function addHeaders({ authorization = '', cookie = '' }: IncomingMessage['headers']): void {
    add(authorization.replace(/^\w+ +/, ''))
    const basic = /^basic +(\S+)$/i.exec(authorization)?.[1]
    if (basic)
      add(
        Buffer.from(basic, 'base64')
          .toString()
          .replace(/^[^:]*:/, ''),
      )
    for (const pair of cookie.split(';')) add(pair.replace(/^[^=]*=/, '').trim())
  }

  function addFields(fields: Iterable<[string, unknown]>): void {
    for (const [name, value] of fields) {
      if (typeof value === 'string' && secretNames.test(name)) add(value)
    }
  }

  function watchAnswer(response: ServerResponse): void {
    const { write, end } = response
    const read = (chunk: unknown) => {
      if (typeof chunk === 'string' || Buffer.isBuffer(chunk)) chunks.push(chunk)
    }
    Object.assign(response, {
      write(...args: unknown[]) {
        read(args[0])
        return Reflect.apply(write, response, args)
      },
      end(...args: unknown[]) {
        read(args[0])
        for (const line of [response.getHeader('set-cookie') ?? []].flat()) {
          add(String(line).replace(/^[^=]*=|;.*$/gs, ''))
        }
        return Reflect.apply(end, response, args)
      },
    })
  }

  server?.prependListener('request', (request, response) => {
    if (readsRequests) addHeaders(request.headers)
    watchAnswer(response)
  })

  return {
    add,
    ignoreRequests() {
      readsRequests = false
    },
    addRequest(init) {
      if (!readsRequests) return
      const { body } = init ?? {}
      if (body instanceof URLSearchParams || body instanceof FormData) addFields(body.entries())
      if (typeof body !== 'string') return
      addText(body)
      for (const [, name = '', value = ''] of body.matchAll(/"(\w+)" ?: ?"([^"\\]*)"/g)) {
        addFields([[name, value]])
      }
    },
    foundIn(text) {
      for (const chunk of chunks.splice(0)) addText(String(chunk))
      const found = [...secrets].filter((secret) => text.includes(secret))
      return found.map((secret) => secret.slice(0, 12))
    },
  }
}

/** Everything in the database, as one text. */
export async function dump(db: Knex): Promise<string> {
  const isSqlite = db.client.dialect === 'sqlite3'
  const names: string[] = isSqlite
    ? await db('sqlite_master').where({ type: 'table' }).pluck('name')
    : (await db.raw('show tables'))[0].map((row: object) => Object.values(row)[0])
  const rows = await Promise.all(names.map((name) => db(name)))
  return JSON.stringify(rows)
}
