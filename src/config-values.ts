import { z } from 'zod'

/** A variable that is a whole number. */
export const integer = (fallback: number, min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,10}$/)
    .default(String(fallback))
    .transform(Number)
    .refine((value) => value >= min && value <= max)
    .describe(`must be an integer from ${min} to ${max}`)
