import type { AuditDetails } from '../../domain/audit.js'
import type { KeyPairPolicy } from '../../domain/key-pair-policy.js'

/** @returns What of a policy changes, by name, with its new value; `undefined` if nothing does. */
export function changesOf(
  before: KeyPairPolicy,
  changes: Partial<KeyPairPolicy>,
): AuditDetails | undefined {
  const details: AuditDetails = {}
  for (const [name, value] of Object.entries(changes)) {
    const known = before[name as keyof KeyPairPolicy]
    if (textOf(known) !== textOf(value)) details[snakeCase(name)] = textOf(value)
  }
  return Object.keys(details).length > 0 ? details : undefined
}

function textOf(value: KeyPairPolicy[keyof KeyPairPolicy] | undefined) {
  if (value === undefined) return null
  return Array.isArray(value) ? value.join(' ') : (value as string | number | boolean | null)
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
}
