import type { ChosenKeyPair, JsonObject, Refusal } from '../../hooks.js'

// What hooks give back is somebody else's code: each of these says whether it is what was asked for.

/** @throws {TypeError} */
export function asBoolean(given: unknown): boolean {
  if (typeof given === 'boolean') return given
  throw new TypeError('The hook must give back true or false')
}

/** @throws {TypeError} */
export function asObject(given: unknown): JsonObject {
  if (isObject(given)) return given
  throw new TypeError('The hook must give back an object')
}

/** @throws {TypeError} */
export function asInteger(given: unknown, min: number, max: number): number {
  if (Number.isSafeInteger(given) && Number(given) >= min && Number(given) <= max)
    return Number(given)
  throw new TypeError(`The hook must give back an integer from ${min} to ${max}`)
}

/** @throws {TypeError} */
export function asText(given: unknown): string {
  if (typeof given === 'string') return given
  throw new TypeError('The hook must give back a string')
}

/** @throws {TypeError} */
export function asRefusal(given: unknown): Refusal | undefined {
  if (given === undefined) return undefined
  if (isRefusal(given)) return given
  throw new TypeError('The hook must give back nothing, or { refuse: "why" }')
}

/** @throws {TypeError} */
export function asChoice(given: unknown): ChosenKeyPair | Refusal | undefined {
  if (given === undefined) return undefined
  if (isRefusal(given)) return given
  if (isObject(given) && typeof given.apiKey === 'string') return { apiKey: given.apiKey }
  throw new TypeError('The hook must give back nothing, { apiKey } or { refuse: "why" }')
}

/** @throws {TypeError} */
export function asFate(given: unknown): 'refuse' | 'anonymous' | Refusal {
  if (given === 'refuse' || given === 'anonymous' || isRefusal(given)) return given
  throw new TypeError('The hook must give back "refuse", "anonymous" or { refuse: "why" }')
}

export function isRefusal(given: unknown): given is Refusal {
  return isObject(given) && typeof given.refuse === 'string' && given.refuse !== ''
}

function isObject(given: unknown): given is JsonObject {
  return typeof given === 'object' && given !== null && !Array.isArray(given)
}
