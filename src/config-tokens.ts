import { z } from 'zod'
import { isReservedClaim } from './domain/added-claims.js'

/** Printable, and fit for a URI, as names of one's own should be (RFC 7519, section 4.2). */
const claimPattern = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/

/** What a header or a cookie can be called (RFC 9110, section 5.6.2). */
const namePattern = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,64}$/
/** Of headers that mean something else. */
const takenHeaders =
  /^(?:authorization|cookie|host|origin|connection|content-|transfer-|x-forwarded-)/i

const name = (description: string, isTaken = /^$/) =>
  z
    .string()
    .refine((text) => namePattern.test(text) && !isTaken.test(text))
    .optional()
    .describe(description)

/** The variables that say what clients may choose of their tokens, and where they may send them. */
export const tokenVariables = {
  EXTRA_CLAIMS: z
    .string()
    .default('')
    .transform((value) => [...new Set(value.split(',').map((name) => name.trim()))].filter(Boolean))
    .refine((names) => names.every((name) => claimPattern.test(name) && !isReservedClaim(name)))
    .describe("must be names of claims, separated by commas, and none of Twinkey's own"),
  TOKEN_HEADER: name('must be the name of a header of its own, e.g. X-Api-Token', takenHeaders),
  TOKEN_COOKIE: name('must be the name of a cookie, and not of a session', /^(?:__Host-)?twinkey_/),
  TOKEN_FIELD: name('must be the name of a field'),
} as const
