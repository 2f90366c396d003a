import { z } from 'zod'
import type { HookSet } from '../../services/hooks/index.js'
import type { Description } from '../ops/operation.js'
import type { Handler } from '../state.js'

/** One address of the REST API with what can be done there: routed, listed and described from here. */
export interface WpRoute {
  /** For the router, e.g. `/wp/v2/key-pair/:user_id`. */
  path: string
  endpoints: readonly WpEndpoint[]
  /** What OPTIONS says of what is there. */
  schema?: WpSchema
}

/** A JSON Schema, in the dialect that WordPress speaks. */
export interface WpSchema {
  title: string
  shape: z.ZodType
  /** The operator's hook. */
  filter?: HookSet['tokenSchema']
}

export interface WpEndpoint {
  methods: readonly Method[]
  /** Parameters of the body, or of the query where the method is GET. */
  args?: z.ZodObject
  about: Description
  handle: Handler
}

export type Method = 'GET' | 'POST' | 'PATCH' | 'DELETE'

export const namespaces = ['wp/v2', 'jwt-auth/v1'] as const

export type Namespace = (typeof namespaces)[number]

/** @returns The namespace of a route's path. */
export function namespaceOf(path: string): Namespace | undefined {
  return namespaces.find((name) => path.startsWith(`/${name}/`))
}

/** What a parameter of a path may be; anything else is no route. */
const pathParameters: Record<string, string> = {
  user_id: '[\\d]+',
  id: '[\\d]+',
  api_key: '[\\w-]+',
  device_id: '[\\d]+',
  jti: '[\\w.-]+',
}

/** @returns The route in WordPress's notation, e.g. `/wp/v2/users/(?P<id>[\d]+)`. */
export function patternOf(path: string): string {
  return path.replace(/:(\w+)/g, (_, name: string) => `(?P<${name}>${pathParameters[name]})`)
}

const compiled = new Map(
  Object.entries(pathParameters).map(([name, pattern]) => [name, new RegExp(`^${pattern}$`)]),
)

/** Whether the parameters that the router cut out of a path are of the right form. */
export function matchesPattern(params: Record<string, string>): boolean {
  return Object.entries(params).every(([name, value]) => compiled.get(name)?.test(value) ?? true)
}

/** @returns The answer to OPTIONS, and the route's entry in the index. */
export function describeRoute(route: WpRoute, publicUrl: string): object {
  const isFixed = !route.path.includes(':')
  return {
    namespace: namespaceOf(route.path),
    methods: [...new Set(route.endpoints.flatMap((endpoint) => endpoint.methods))],
    endpoints: route.endpoints.map(({ methods, args }) => ({ methods, args: describeArgs(args) })),
    ...(isFixed && { _links: { self: [{ href: `${publicUrl}/wp-json${route.path}` }] } }),
  }
}

/** @throws {ServiceError} 500 or 504 if the operator's hook fails. */
export async function readSchema({ title, shape, filter }: WpSchema): Promise<object> {
  const schema = { title, ...z.toJSONSchema(shape, { target: 'draft-04' }) }
  return filter ? filter(schema, {}) : schema
}

/** PHP's empty array, where WordPress has no parameters to describe, is `[]` in JSON. */
function describeArgs(args: z.ZodObject | undefined): object {
  if (!args) return []
  const schema = z.toJSONSchema(args, { io: 'input', unrepresentable: 'any' })
  const described = Object.entries(schema.properties ?? {}).map(([name, property]) => [
    name,
    { ...(property as object), required: schema.required?.includes(name) ?? false },
  ])
  return described.length === 0 ? [] : Object.fromEntries(described)
}
