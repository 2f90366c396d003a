import { z } from 'zod'
import { parseMoment } from '../domain/key-pair-policy.js'
import type { TokenWishes } from '../domain/token-wishes.js'
import { invalidParameters } from '../errors.js'
import { text } from './params.js'

const wholeSeconds = 'must be a whole number of seconds'
const moments = 'must be seconds since 1970, or a date such as 2027-01-31'
const yesOrNo = z.union([z.boolean(), z.enum(['true', 'false', '1', '0'])], {
  error: 'must be true or false',
})
const isYes = (value: z.infer<typeof yesOrNo>) => [true, 'true', '1'].includes(value)

/** What a client may choose of its access token, in both dialects. */
export const wishArgs = z.object({
  expires_in: z
    .union([z.int(), z.string().regex(/^\d{1,10}$/, { error: wholeSeconds })], {
      error: wholeSeconds,
    })
    .transform(Number)
    .optional()
    .describe('A shorter life of the access token, in seconds.'),
  expires_at: z
    .union([z.int(), text], { error: moments })
    .transform((value) => (typeof value === 'number' ? value : parseMoment(value)))
    .refine((value) => typeof value === 'number', { error: moments })
    .optional()
    .describe('The same as a moment: seconds since 1970, or a date.'),
  is_refreshable: yesOrNo.optional().describe('Whether a refresh token comes with it.'),
  is_revocable: yesOrNo.optional().describe('Whether the access token can be revoked alone.'),
  claims: z
    .union([z.record(z.string(), z.unknown()), text], { error: 'must be a JSON object' })
    .optional()
    .describe('Claims to add, of those that are allowed here: a JSON object.'),
  description: text.optional().describe('Of a token that is revocable: for people.'),
})

const names = Object.keys(wishArgs.shape)

/** A field of a form that is empty says nothing. */
export function withoutEmptyWishes(fields: Record<string, unknown>): Record<string, unknown> {
  if (!names.some((name) => fields[name] === '')) return fields
  const isSaid = ([name, value]: [string, unknown]) => value !== '' || !names.includes(name)
  return Object.fromEntries(Object.entries(fields).filter(isSaid))
}

/**
 * @param isRefresh Whether a refresh token is exchanged, which is refreshable as it is.
 * @returns `undefined` if nothing is wished, as is usual.
 * @throws {ServiceError} `rest_invalid_param`
 */
export function readWishes(
  params: z.infer<typeof wishArgs>,
  isRefresh: boolean,
): TokenWishes | undefined {
  if (!names.some((name) => params[name as keyof typeof params] !== undefined)) return undefined
  const { claims, is_refreshable: isRefreshable, is_revocable: isRevocable } = params
  if (isRefresh && isRefreshable !== undefined) {
    throw invalidParameters({ is_refreshable: 'can be chosen with a key-pair only' })
  }
  return {
    expiresIn: params.expires_in,
    expiresAt: params.expires_at ?? undefined,
    isRefreshable: isRefreshable === undefined ? undefined : isYes(isRefreshable),
    isRevocable: isRevocable === undefined ? undefined : isYes(isRevocable),
    claims: typeof claims === 'string' ? readClaims(claims) : claims,
    description: params.description,
  }
}

function readClaims(json: string): Record<string, unknown> {
  let value: unknown
  try {
    value = JSON.parse(json)
  } catch {
    value = undefined
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return { ...value }
  throw invalidParameters({ claims: 'must be a JSON object' })
}
