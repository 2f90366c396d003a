import { z } from 'zod'
import { parseMoment } from '../../domain/key-pair-policy.js'
import type { KeyPairChanges } from '../../services/key-pairs.js'
import { text } from '../params.js'

/** JSON has lists; a form has `scopes[]=a&scopes[]=b`, or one field with all of them. */
const list = z
  .union([text, z.array(text)], { error: 'must be a list of texts' })
  .transform((value) => (typeof value === 'string' ? value.split(/[\s,]+/) : value))
  .transform((values) => values.map((value) => value.trim()).filter((value) => value !== ''))

const expiryForms = 'must be seconds since 1970, a date such as 2027-01-31, or "never"'
export const moment = z
  .union([z.number(), text], { error: expiryForms })
  .transform((value) => (typeof value === 'number' ? value : parseMoment(value)))
  .refine((value) => value !== undefined, { error: expiryForms })

const yesOrNo = z
  .union([z.boolean(), z.enum(['true', 'false', '1', '0', 'on', ''])], {
    error: 'must be true or false',
  })
  .transform((value) => [true, 'true', '1', 'on'].includes(value))

/** What limits a key-pair. A value that is empty, or null, lifts the limit. */
export const policyArgs = z.object({
  expires_at: moment.optional().describe('When it dies: seconds since 1970, or a date.'),
  scopes: list.optional().describe('The most that its tokens may do; everything if absent.'),
  networks: list.optional().describe('Addresses or CIDR ranges it may be used from.'),
  require_device: yesOrNo
    .optional()
    .describe('Whether it can be exchanged only for the tokens of a device.'),
  description: text.optional().describe('For people, at most 1000 characters.'),
})

export const policyNames = Object.keys(policyArgs.shape)

/** @returns What was given; an empty list is no limit. */
export function readPolicy(params: z.infer<typeof policyArgs>): KeyPairChanges {
  const { expires_at: expiresAt, scopes, networks, description } = params
  const { require_device: requireDevice } = params
  return {
    ...(expiresAt !== undefined && { expiresAt }),
    ...(scopes && { scopes: scopes.length > 0 ? scopes : null }),
    ...(networks && { networks: networks.length > 0 ? networks : null }),
    ...(requireDevice !== undefined && { requireDevice }),
    ...(description !== undefined && { description }),
  }
}

/** JSON says "none" with null, which elsewhere is the same as absent. */
export function nullsAsEmpty(body: Record<string, unknown>): Record<string, unknown> {
  const entries = Object.entries(body)
  return Object.fromEntries(
    entries.map(([name, value]) => [
      name,
      value === null && policyNames.includes(name) ? '' : value,
    ]),
  )
}

/** Whoever mints says nothing with an empty field: they get what there is by default. */
export function withoutEmpty(body: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(body).filter(([name, value]) => value !== '' || !policyNames.includes(name)),
  )
}
