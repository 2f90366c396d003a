import Router from '@koa/router'
import { z } from 'zod'
import { type ErrorCode, errorCatalogue, ServiceError } from '../../errors.js'
import { statusOf as proxyStatusOf } from '../forward-auth.js'
import { isRefusal, presentJwtAuthError } from '../jwt-auth/envelope.js'
import { wordFor } from '../jwt-auth/words.js'
import { publicHeaders } from '../oauth/metadata.js'
import { presentOAuthError } from '../oauth/oauth-error.js'
import type { AppRouter, RequestState } from '../state.js'
import { matchesPattern } from '../wp/route.js'
import { errorAnswer, oauthErrorAnswer, shapes } from './answers.js'
import { jwtAuthErrorAnswer } from './jwt-auth-answers.js'
import { type Access, failuresOf, type Operation, tags } from './operation.js'

export type Schema = Record<string, unknown>

export interface OpenApiParameter {
  name: string
  in: 'path' | 'query'
  required: boolean
  description?: string
  schema: Schema
}

export interface OpenApiResponse {
  description: string
  headers?: Record<string, { description: string; schema: Schema }>
  content?: Record<string, { schema: Schema }>
}

export interface OpenApiOperation {
  operationId: string
  tags: string[]
  summary: string
  description?: string
  security: Record<string, string[]>[]
  parameters?: OpenApiParameter[]
  requestBody?: { content: Record<string, { schema: Schema }> }
  responses: Record<string, OpenApiResponse>
}

export interface OpenApiDocument {
  openapi: string
  info: { title: string; version: string; [name: string]: unknown }
  servers: { url: string }[]
  tags: { name: string; description: string }[]
  paths: Record<string, Record<string, OpenApiOperation>>
  components: { schemas: Record<string, Schema>; securitySchemes: Record<string, Schema> }
}

const bodyTypes = ['application/json', 'application/x-www-form-urlencoded', 'multipart/form-data']

/**
 * What is served, in a form that tools can read: from the very schemas that requests are read with.
 *
 * @param publicUrl Where the service is to be found.
 * @see [OpenAPI 3.1](https://spec.openapis.org/oas/v3.1.1.html)
 */
export function describeApi(operations: readonly Operation[], publicUrl: string): OpenApiDocument {
  const paths: OpenApiDocument['paths'] = {}
  for (const operation of operations) {
    const { path, method } = operation
    paths[path] = { ...paths[path], [method.toLowerCase()]: describe(operation) }
  }
  return {
    openapi: '3.1.1',
    info: {
      title: 'Twinkey',
      // Of the API, whose namespace is wp/v2; programs are released more often.
      version: '2',
      summary: 'Key-pairs, tokens, and the check of both.',
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: publicUrl }],
    tags: Object.entries(tags).map(([name, description]) => ({ name, description })),
    paths,
    components: { schemas: namedSchemas(), securitySchemes: securitySchemes(publicUrl) },
  }
}

/** `/openapi.json`, for pages of any site as well. */
export function openApiRouter(document: OpenApiDocument): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })
  const text = JSON.stringify(document)
  router.get('/openapi.json', (ctx) => {
    ctx.set(publicHeaders)
    ctx.type = 'application/json'
    ctx.body = text
  })
  return router
}

const securityOf: Record<Access, Record<string, string[]>[]> = {
  anybody: [],
  person: [{ session: [], nonce: [] }],
  viewer: [{ bearer: [] }, { session: [], nonce: [] }],
  bearer: [{ bearer: [] }],
  // Or in the body, which OpenAPI has no word for.
  client: [{ client: [] }, {}],
  cookie: [{ session: [] }],
}

function securitySchemes(publicUrl: string): Record<string, Schema> {
  const prefix = publicUrl.startsWith('https:') ? '__Host-' : ''
  return {
    bearer: { type: 'http', scheme: 'bearer', description: 'An access token of a key-pair.' },
    session: {
      type: 'apiKey',
      in: 'cookie',
      name: `${prefix}twinkey_session`,
      description: 'The session of somebody who has logged in.',
    },
    nonce: {
      type: 'apiKey',
      in: 'header',
      name: 'X-WP-Nonce',
      description: 'Proves that a request with a cookie was meant by whoever has the session.',
    },
    client: {
      type: 'http',
      scheme: 'basic',
      description: 'An API key and its secret; they may stand in the body instead, never in both.',
    },
  }
}

function describe(operation: Operation): OpenApiOperation {
  const { method, path, tag, summary, notes, access, bodies } = operation
  const parameters = [...pathParametersOf(path), ...queryParametersOf(operation.query)]
  return {
    operationId: nameOf(method, path),
    tags: [tag],
    summary,
    ...(notes && { description: notes }),
    security: securityOf[access],
    ...(parameters.length > 0 && { parameters }),
    ...(bodies && { requestBody: { content: contentOf(bodyTypes, bodySchema(bodies)) } }),
    responses: describeResponses(operation),
  }
}

/** E.g. `getUsersMe`, for the functions of generated clients. */
function nameOf(method: string, path: string): string {
  const words = path.replace(/^\/wp-json(\/wp\/v2)?\/?/, '').match(/[a-z0-9]+/gi) ?? []
  const route = words.length > 0 ? words : (path.match(/[a-z0-9]+/gi) ?? [])
  const capitals = route.map((word) => word.charAt(0).toUpperCase() + word.slice(1))
  return method.toLowerCase() + capitals.join('')
}

function pathParametersOf(path: string): OpenApiParameter[] {
  return [...path.matchAll(/\{(\w+)\}/g)].map(([, name = '']) => ({
    name,
    in: 'path',
    required: true,
    // What a letter does not fit is an id.
    schema: matchesPattern({ [name]: 'a' }) ? { type: 'string' } : { type: 'integer', minimum: 0 },
  }))
}

/** A query has nothing but texts: what they are read as says more of them. */
function queryParametersOf(query: z.ZodObject | undefined): OpenApiParameter[] {
  if (!query) return []
  const { properties = {} } = toSchema(query, 'output') as { properties?: Record<string, Schema> }
  const { required = [] } = toSchema(query, 'input') as { required?: string[] }
  return Object.entries(properties).map(([name, { description, ...schema }]) => ({
    name,
    in: 'query',
    required: required.includes(name),
    ...(typeof description === 'string' && { description }),
    schema,
  }))
}

function bodySchema(bodies: readonly z.ZodObject[]): Schema {
  const schemas = bodies.map((body) => toSchema(body, 'input'))
  return schemas.length === 1 ? (schemas[0] ?? {}) : { anyOf: schemas }
}

function describeResponses(operation: Operation): Record<string, OpenApiResponse> {
  const { answer, headers = {}, status = 200, mediaType = 'application/json' } = operation
  const responses: Record<string, OpenApiResponse> = {
    [status]: {
      description: 'All is well.',
      ...(Object.keys(headers).length > 0 && { headers: describeHeaders(headers) }),
      ...(answer && { content: contentOf([mediaType], toSchema(answer, 'input')) }),
    },
  }
  for (const [other, schema] of Object.entries(operation.others ?? {})) {
    responses[other] = {
      description: 'It cannot, for now.',
      content: contentOf(['application/json'], toSchema(schema, 'input')),
    }
  }
  return { ...responses, ...describeFailures(operation) }
}

function describeHeaders(headers: Record<string, string>) {
  return Object.fromEntries(
    Object.entries(headers).map(([name, description]) => [
      name,
      { description, schema: { type: 'string' } },
    ]),
  )
}

/** What says when to try again, by status (`failure-headers.ts`). */
const waitHeaders: Record<number, Record<string, string>> = {
  429: {
    'Retry-After': 'Seconds until there is a quota again.',
    'RateLimit-Policy': 'The name of the limit, its quota (`q`) and its window in seconds (`w`).',
    RateLimit: 'What remains of the quota (`r`), and seconds until there is one again (`t`).',
  },
  503: { 'Retry-After': 'Seconds after which trying again makes sense.' },
}

/** One response a status: which failures have it, and what it looks like. */
function describeFailures(operation: Operation): Record<string, OpenApiResponse> {
  const { dialect = 'wordpress' } = operation
  const found = new Map<number, { lines: Set<string>; schemas: Set<z.ZodType> }>()
  function add(status: number, line: string, schema?: z.ZodType): void {
    const response = found.get(status) ?? { lines: new Set(), schemas: new Set() }
    response.lines.add(line)
    if (schema) response.schemas.add(schema)
    found.set(status, response)
  }
  for (const code of failuresOf(operation)) {
    const error = new ServiceError(code)
    if (dialect === 'proxy') add(proxyStatusOf(error), lineOf(code, code))
    for (const subject of operation.subjects ?? []) {
      const { status } = presentJwtAuthError(error, subject)
      const form = isRefusal(error) ? jwtAuthErrorAnswer : errorAnswer
      const word = isRefusal(error) ? wordFor(error, subject).code : code
      add(status, lineOf(word, code), form)
    }
    if (dialect === 'wordpress' || dialect === 'both') {
      add(error.status, lineOf(code, code), errorAnswer)
    }
    if (dialect === 'oauth' || dialect === 'both') {
      add(presentOAuthError(error).status, lineOf(error.oauth, code), oauthErrorAnswer)
    }
  }
  return Object.fromEntries(
    [...found].map(([status, { lines, schemas: given }]) => {
      const forms = [...given].map((schema) => toSchema(schema, 'input'))
      const schema = forms.length > 1 ? { anyOf: forms } : forms[0]
      return [
        String(status),
        {
          description: [...lines].join('\n'),
          ...(status in waitHeaders && { headers: describeHeaders(waitHeaders[status] ?? {}) }),
          ...(schema && { content: contentOf(['application/json'], schema) }),
        },
      ]
    }),
  )
}

function lineOf(word: string, code: ErrorCode): string {
  return `- \`${word}\`: ${errorCatalogue[code].message}`
}

function contentOf(types: readonly string[], schema: Schema) {
  return Object.fromEntries(types.map((type) => [type, { schema }]))
}

const referTo = (id: string) => `#/components/schemas/${id}`

function namedSchemas(): Record<string, Schema> {
  const { schemas } = z.toJSONSchema(shapes, { io: 'input', uri: referTo, override: plainInteger })
  return Object.fromEntries(
    Object.entries(schemas).map(([id, { $schema, $id, ...schema }]) => [id, schema]),
  )
}

/** Shapes that have a name are referred to by it. */
function toSchema(schema: z.ZodType, io: 'input' | 'output'): Schema {
  const id = shapes.get(schema)?.id
  if (id !== undefined) return { $ref: referTo(id) }
  const { $schema, $defs, ...plain } = z.toJSONSchema(schema, {
    io,
    unrepresentable: 'any',
    override: (context) => {
      const name = shapes.get(context.zodSchema)?.id
      if (name === undefined) return plainInteger(context)
      for (const key of Object.keys(context.jsonSchema)) delete context.jsonSchema[key]
      context.jsonSchema.$ref = referTo(name)
    },
  })
  return plain
}

/** zod says of every integer that JavaScript can hold it. */
function plainInteger({ jsonSchema }: { jsonSchema: Schema }): void {
  if (jsonSchema.minimum === Number.MIN_SAFE_INTEGER) delete jsonSchema.minimum
  if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum
}
