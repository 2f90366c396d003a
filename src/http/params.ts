import { z } from 'zod'
import { textProblem } from '../domain/text.js'
import { invalidParameters, missingParameters } from '../errors.js'

/** Longer input than any parameter of ours can need. */
const maxTextLength = 16_384

/** A text parameter. WordPress treats `null` as absent, and so do clients that send it. */
export const text = z
  .string({ error: 'must be a string' })
  .refine((value) => textProblem(value, maxTextLength) === undefined, {
    error: (issue) => textProblem(issue.input as string, maxTextLength) ?? 'is invalid',
  })

/** A whole number in a query, e.g. `page=2`. */
export function integerText(min: number, max: number) {
  return z
    .string()
    .regex(/^\d{1,9}$/, { error: 'must be an integer' })
    .transform(Number)
    .pipe(
      z
        .int()
        .min(min, { error: `must be at least ${min}` })
        .max(max, { error: `must be at most ${max}` }),
    )
}

/**
 * @param input A parsed body or query. Parameters that the schema does not name are ignored, as
 *   WordPress does.
 * @throws {ServiceError} `rest_missing_callback_param` or `rest_invalid_param`, naming them.
 */
export function readParams<T extends z.ZodObject>(
  schema: T,
  input: Record<string, unknown>,
): z.infer<T> {
  const given: Record<string, unknown> = {}
  for (const name of Object.keys(schema.shape)) {
    if (Object.hasOwn(input, name) && input[name] !== null) given[name] = input[name]
  }
  const result = schema.safeParse(given)
  if (result.success) return result.data

  const missing: string[] = []
  const invalid: Record<string, string> = {}
  for (const issue of result.error.issues) {
    const name = String(issue.path[0])
    if (given[name] === undefined) missing.push(name)
    else invalid[name] ??= issue.message
  }
  throw missing.length > 0 ? missingParameters(missing) : invalidParameters(invalid)
}

/**
 * @param digits An id in a path, digits only.
 * @returns The id; for one beyond any that we give out, one that nobody has.
 */
export function readId(digits: string | undefined): number {
  const id = Number(digits)
  return Number.isSafeInteger(id) ? id : Number.MAX_SAFE_INTEGER
}
