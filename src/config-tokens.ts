import { z } from 'zod'
import { isReservedClaim } from './domain/added-claims.js'

/** Printable, and fit for a URI, as names of one's own should be (RFC 7519, section 4.2). */
const claimPattern = /^[A-Za-z][A-Za-z0-9_.:/-]{0,127}$/

/** The variables that say what clients may choose of their tokens. */
export const tokenVariables = {
  EXTRA_CLAIMS: z
    .string()
    .default('')
    .transform((value) => [...new Set(value.split(',').map((name) => name.trim()))].filter(Boolean))
    .refine((names) => names.every((name) => claimPattern.test(name) && !isReservedClaim(name)))
    .describe("must be names of claims, separated by commas, and none of Twinkey's own"),
} as const
