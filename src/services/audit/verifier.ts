import {
  type AuditEntry,
  type AuditKey,
  type AuditSeal,
  genesis,
  isEntryGenuine,
  isStatementGenuine,
  sealOf,
  type Statement,
} from '../../domain/audit.js'
import type { AuditRecord, AuditStore } from '../../store/audit.js'

export type AuditProblem =
  /** Its text, or its proof, is not what the service wrote. */
  | 'edited'
  /** Nothing is left of it. */
  | 'missing'
  /** It does not follow from what stands before it. */
  | 'moved'
  /** It stands where another entry stands, or twice. */
  | 'inserted'
  /** What the service said of the chain is not what the chain says. */
  | 'rewritten'
  /** A statement about the chain is not the service's own. */
  | 'forged'
  /** Written with a key that is not at hand. */
  | 'unknown_key'

export interface AuditFinding {
  problem: AuditProblem
  /** The place in the chain, if it has one; the first of several. */
  seq: number | null
  /** The row. */
  id: number | null
  /** In a sentence. */
  text: string
}

export interface AuditVerdict {
  /** Of entries that were looked at. */
  entries: number
  /** Written, and not yet in the chain. */
  unsealed: number
  /** Where the chain ends: to be kept somewhere else, and given to a later verification. */
  end: AuditSeal
  /** The first findings. */
  findings: AuditFinding[]
  /** Of findings in all. */
  total: number
}

export interface VerifyOptions {
  store: Pick<
    AuditStore,
    'readHead' | 'listStatements' | 'listSealed' | 'listUnsealed' | 'listDuplicates'
  >
  /** The key of now, and those that were used before. */
  keys: readonly AuditKey[]
  /** A place of the chain as it was known before. */
  expected?: AuditSeal | undefined
}

const pageSize = 1000
const maxFindings = 1000

/**
 * Reads the whole log, and says what in it is not as the service wrote it. Meanwhile the service goes
 * on: only what was sealed when this began is looked at.
 */
export async function verifyAuditLog({
  store,
  keys,
  expected,
}: VerifyOptions): Promise<AuditVerdict> {
  const keyOf = new Map(keys.map((key) => [key.id, key]))
  const findings: AuditFinding[] = []
  let total = 0

  function find(problem: AuditProblem, text: string, at: { seq?: number; id?: number } = {}): void {
    total += 1
    if (findings.length >= maxFindings) return
    findings.push({ problem, seq: at.seq ?? null, id: at.id ?? null, text })
  }

  const unknownKeys = new Set<string>()
  function isGenuine(keyId: string, check: (key: AuditKey) => boolean): boolean {
    const key = keyOf.get(keyId)
    if (key) return check(key)
    if (!unknownKeys.has(keyId)) {
      unknownKeys.add(keyId)
      find('unknown_key', `There are entries of the key ${keyId}, made from another secret.`)
    }
    return true
  }

  function checkStatement(statement: Statement, name: string): boolean {
    if (isGenuine(statement.keyId, (key) => isStatementGenuine(statement, key))) return true
    find('forged', `${name} is not signed by the service.`, { seq: statement.seq })
    return false
  }

  function checkEntry(entry: AuditEntry, name: string, at: { seq?: number; id?: number }): boolean {
    if (isGenuine(entry.keyId, (key) => isEntryGenuine(entry, key))) return true
    find('edited', `${name} was edited, or not written by the service.`, at)
    return false
  }

  const statements = await store.listStatements()
  const head = await store.readHead()
  const end = head?.end
  if (end) checkStatement(end, 'The head of the chain')

  /** By place: what the service said of it, and still has to be compared. */
  const said = new Map<number, string>()
  let last = genesis
  for (const statement of statements) {
    const name = `The checkpoint at ${statement.seq}`
    if (!checkStatement(statement, name)) continue
    said.set(statement.seq, statement.hash)
    if (statement.kind === 'anchor') last = { seq: statement.seq, hash: statement.hash }
  }
  const anchor = last

  function compare(seq: number, hash: string | null): void {
    const words = said.get(seq)
    if (words !== undefined && words !== hash) {
      find('rewritten', `The chain was written anew before ${seq}.`, { seq })
    }
    if (expected?.seq === seq && expected.hash !== hash) {
      find('rewritten', `The chain at ${seq} is not the one that was given.`, { seq })
    }
    if (end?.seq === seq && end.hash !== hash) {
      find('rewritten', `The chain does not end at ${seq} as the service said.`, { seq })
    }
  }
  compare(anchor.seq, anchor.hash)

  let entries = 0
  function follow(entry: AuditRecord & { seq: number }): void {
    const { seq, id } = entry
    const name = `Entry ${seq}`
    entries += 1
    if (seq <= last.seq) {
      find('inserted', `${name} is there twice, or stands before the beginning.`, { seq, id })
      return
    }
    const isIntact = checkEntry(entry, name, { seq, id })
    if (seq > last.seq + 1) {
      const first = last.seq + 1
      const which = first === seq - 1 ? `Entry ${first} is` : `Entries ${first} to ${seq - 1} are`
      find('missing', `${which} missing.`, { seq: first })
    } else if (isIntact && sealOf(last, entry).hash !== entry.hash) {
      find('moved', `${name} does not follow from the one before it.`, { seq, id })
    }
    compare(seq, entry.hash)
    last = { seq, hash: entry.hash ?? '' }
  }

  const until = end?.seq ?? 0
  let position = 0
  let sealedBeyond = false
  for (;;) {
    const page = await store.listSealed(position, pageSize)
    for (const entry of page) {
      const seq = entry.seq ?? 0
      position = seq
      if (seq > until) sealedBeyond = true
      else follow({ ...entry, seq })
    }
    if (page.length < pageSize || sealedBeyond) break
  }
  if (last.seq < until) {
    const first = last.seq + 1
    const which = first === until ? `Entry ${first} is` : `Entries ${first} to ${until} are`
    find('missing', `${which} missing at the end.`, { seq: first })
  }
  const newest = (await store.readHead())?.end
  if (sealedBeyond && position > (newest?.seq ?? 0)) {
    find('inserted', `There are entries beyond the end of the chain.`, { seq: position })
  }
  if (expected && expected.seq > until) {
    find('missing', `The chain ends at ${until}, before ${expected.seq}, which was given.`)
  }
  for (const uid of await store.listDuplicates(100)) {
    find('inserted', `An entry is there twice: ${uid}.`)
  }
  const unsealed = await checkUnsealed()
  return { entries, unsealed, end: { seq: until, hash: end?.hash ?? '' }, findings, total }

  async function checkUnsealed(): Promise<number> {
    let count = 0
    let lastId = 0
    for (;;) {
      const page = await store.listUnsealed(pageSize, lastId)
      for (const entry of page) {
        lastId = entry.id
        count += 1
        checkEntry(entry, `The entry in row ${entry.id}, which has no place yet,`, { id: entry.id })
      }
      if (page.length < pageSize) return count
    }
  }
}
