import { Ajv2020 } from 'ajv/dist/2020.js'
import test, { type ExecutionContext } from 'ava'
import { dialects } from './dialects.js'
import { type Service, startService } from './with-service.js'

export type Json = Record<string, any>

const sqlite = dialects.filter(({ name }) => name === 'SQLite')

/** One kind of database is enough: no description depends on it. */
export function onSqlite(
  title: string,
  run: (t: ExecutionContext, service: Service) => Promise<void>,
): void {
  for (const dialect of sqlite) {
    test(title, async (t) => {
      const service = await startService(dialect, {
        SECURITY_CONTACT: 'mailto:security@sample.org',
        KEY_PAIR_SCOPES: 'read=Read things;write=Write things',
      })
      try {
        await run(t, service)
      } finally {
        await service.close()
      }
    })
  }
}

export async function readDocument(service: Service): Promise<Json> {
  return (await service.json('/openapi.json')).body
}

/** Closes every shape: an answer must hold nothing that the description does not name. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed)
  if (typeof value !== 'object' || value === null) return value
  const schema = Object.fromEntries(Object.entries(value).map(([key, part]) => [key, closed(part)]))
  const isOpen = 'additionalProperties' in schema || schema.type !== 'object'
  return isOpen ? schema : { ...schema, additionalProperties: false }
}

interface Call {
  method?: string
  headers?: Record<string, string>
  fields?: Record<string, string>
  json?: unknown
  status: number
}

/** Asks the service, and holds each answer against the description. */
export function createCaller(service: Service, document: Json) {
  const ajv = new Ajv2020({ strict: false, validateFormats: false })
  ajv.addSchema({ $id: 'doc', components: closed(document.components) as object })
  const covered = new Set<string>()
  const problems: string[] = []

  async function call(template: string, path: string, { status, ...init }: Call): Promise<any> {
    const { method = init.fields || init.json ? 'POST' : 'GET', headers = {} } = init
    const body = init.fields
      ? new URLSearchParams(init.fields)
      : init.json
        ? JSON.stringify(init.json)
        : null
    const type = init.json ? { 'Content-Type': 'application/json' } : {}
    const response = await service.fetch(path, { method, headers: { ...headers, ...type }, body })
    const text = await response.text()
    const name = `${method} ${template} ${response.status}`
    if (response.status !== status) problems.push(`${name}: not ${status} (${text})`)
    covered.add(name)

    const described = document.paths[template]?.[method.toLowerCase()]?.responses[response.status]
    if (!described) {
      problems.push(`${name}: not described`)
      return undefined
    }
    for (const header of Object.keys(described.headers ?? {})) {
      if (!response.headers.has(header)) problems.push(`${name}: no ${header}`)
    }
    const mediaType = response.headers.get('Content-Type')?.split(';')[0] ?? ''
    const content = described.content?.[mediaType]
    if (!content) {
      if (text !== '' || described.content) problems.push(`${name}: ${mediaType} not described`)
      return undefined
    }
    const answer = mediaType.endsWith('json') ? JSON.parse(text) : text
    const schema = JSON.parse(
      JSON.stringify(closed(content.schema)).replaceAll('"#/components', '"doc#/components'),
    )
    const validate = ajv.compile(schema)
    if (!validate(answer)) problems.push(`${name}: ${ajv.errorsText(validate.errors)}: ${text}`)
    const word = answer?.error ?? answer?.code
    if (status >= 400 && word && !described.description.includes(`\`${word}\``)) {
      problems.push(`${name}: ${word} not described`)
    }
    return answer
  }
  return { call, covered, problems }
}
