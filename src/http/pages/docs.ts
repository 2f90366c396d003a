import Router from '@koa/router'
import {
  ApiDocs,
  type DocsField,
  type DocsGroup,
  type DocsOperation,
  type DocsShape,
} from '../../views/api-docs.js'
import type { OpenApiDocument, OpenApiOperation, OpenApiResponse, Schema } from '../ops/openapi.js'
import type { AppRouter, RequestState } from '../state.js'
import { type PageMaker, send } from './page.js'
import type { Visitors } from './visitor.js'

export interface DocsPageDeps {
  visitors: Visitors
  page: PageMaker
  document: OpenApiDocument
}

/** `/docs`: the description of the API for people, from the same document as for tools. */
export function docsPage({ visitors, page, document }: DocsPageDeps): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })
  const groups = groupsOf(document)
  const shapes = Object.entries(document.components.schemas).map(shapeOf)
  router.get(
    '/docs',
    page(async function showDocs(ctx) {
      const visitor = await visitors.find(ctx)
      const context = visitor?.context ?? visitors.anonymous()
      send(ctx, ApiDocs({ context, groups, shapes }))
    }),
  )
  return router
}

function groupsOf(document: OpenApiDocument): DocsGroup[] {
  const all = Object.entries(document.paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(([method, operation]) => ({ path, method, operation })),
  )
  return document.tags.map(({ name, description }) => ({
    name,
    description,
    operations: all
      .filter(({ operation }) => operation.tags.includes(name))
      .map(({ path, method, operation }) => operationOf(path, method, operation)),
  }))
}

const accessWords: Record<string, string> = {
  bearer: 'an access token',
  'session and nonce': 'a session and its nonce',
  session: "a session's cookie",
  client: 'a key-pair, by HTTP Basic or in the body',
}

function operationOf(path: string, method: string, operation: OpenApiOperation): DocsOperation {
  const access = operation.security
    .map((schemes) => Object.keys(schemes).join(' and '))
    .filter((name) => name !== '')
    .map((name) => accessWords[name] ?? name)
  return {
    id: operation.operationId,
    method: method.toUpperCase(),
    path,
    summary: operation.summary,
    notes: operation.description,
    access: access.length > 0 ? `With ${access.join(', or ')}.` : 'For anybody.',
    fields: [...parameterFields(operation), ...bodyFields(operation)],
    answers: Object.entries(operation.responses).map(([status, response]) => ({
      status,
      lines: response.description.split('\n').map((line) => line.replace(/^- /, '')),
      shape: shapeNameOf(response),
    })),
  }
}

function parameterFields({ parameters = [] }: OpenApiOperation): DocsField[] {
  return parameters.map(({ name, in: place, required, description, schema }) => ({
    name,
    place: place === 'path' ? 'path' : 'query',
    isRequired: required,
    type: typeOf(schema),
    description,
  }))
}

function bodyFields({ requestBody }: OpenApiOperation): DocsField[] {
  const schema = requestBody?.content['application/json']?.schema ?? {}
  const forms = (schema.anyOf as Schema[] | undefined) ?? [schema]
  const fields = forms.flatMap((form) => fieldsOf(form, 'body'))
  // A parameter of more than one form is the same in all.
  return [...new Map(fields.reverse().map((field) => [field.name, field])).values()].reverse()
}

function shapeOf([name, schema]: [string, Schema]): DocsShape {
  return { name, description: textOf(schema.description), fields: fieldsOf(schema) }
}

function fieldsOf(schema: Schema, place?: DocsField['place']): DocsField[] {
  const required = (schema.required as string[] | undefined) ?? []
  const properties = (schema.properties as Record<string, Schema> | undefined) ?? {}
  return Object.entries(properties).map(([name, property]) => ({
    name,
    place,
    isRequired: required.includes(name),
    type: typeOf(property),
    description: textOf(property.description),
  }))
}

function shapeNameOf({ content = {} }: OpenApiResponse): string | undefined {
  const [entry] = Object.entries(content)
  if (!entry) return undefined
  const [mediaType, { schema }] = entry
  return mediaType === 'application/json' ? typeOf(schema) : `${mediaType}: ${typeOf(schema)}`
}

/** @returns A schema in words, e.g. `list of KeyPair`, `"view" or "edit"`. */
function typeOf(schema: Schema): string {
  const { $ref, type, items, anyOf, properties } = schema
  if (typeof $ref === 'string') return $ref.slice($ref.lastIndexOf('/') + 1)
  if (Array.isArray(schema.enum)) {
    // The failures of everything: their list would bury what is beside it.
    return schema.enum.length > 8 ? 'text' : schema.enum.map((value) => `"${value}"`).join(' or ')
  }
  if ('const' in schema) return JSON.stringify(schema.const)
  if (Array.isArray(anyOf)) return [...new Set(anyOf.map(typeOf))].join(' or ')
  if (type === 'array') return `list of ${typeOf((items as Schema | undefined) ?? {})}`
  if (properties) return `{ ${Object.entries(properties).map(inWords).join(', ')} }`
  const types = [type ?? []].flat().map(String)
  return types.map((name) => typeWords[name] ?? name).join(' or ') || 'anything'
}

const inWords = ([name, property]: [string, Schema]) => `${name}: ${typeOf(property)}`

const typeWords: Record<string, string> = { string: 'text', boolean: 'true or false' }

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined
}
