import type { Knex } from 'knex'
import type {
  AuditAction,
  AuditEntry,
  AuditOutcome,
  AuditSeal,
  Statement,
  StatementKind,
} from '../domain/audit.js'
import { isAsciiValue } from './ascii.js'
import { type AuditRecord, type AuditRow, recordOf, rowOf } from './audit-rows.js'

export type { AuditRecord } from './audit-rows.js'

/** Where the chain ends, and who goes on with it. */
export interface AuditHead {
  /** `undefined` while nothing has been sealed. */
  end: Statement | undefined
  checkpoint: { seq: number; at: number }
  lease: { holder: string; until: number }
}

/** What is absent matches everything. */
export interface AuditFilter {
  userId?: number
  apiKey?: string
  action?: AuditAction
  outcome?: AuditOutcome
  requestId?: string
  /** Seconds since the Unix epoch, this second included. */
  from?: number
  to?: number
  /** Only entries with smaller ids: the page after one that ended with this. */
  before?: number
  /** Only entries with larger ids. */
  after?: number
}

export interface AuditStore {
  append(entries: readonly AuditEntry[]): Promise<void>
  /** By the order in which they were written, newest first unless asked for otherwise. */
  list(filter: AuditFilter, limit: number, order?: 'asc' | 'desc'): Promise<AuditRecord[]>
  /** By their place in the chain, from the one after `seq`. */
  listSealed(afterSeq: number, limit: number): Promise<AuditRecord[]>
  hasUnsealed(): Promise<boolean>
  /** Oldest first. Those of transactions that are not committed are not among them yet. */
  listUnsealed(limit: number, afterId?: number): Promise<AuditRecord[]>
  /** @returns How many were sealed: those that have a seal already are left alone. */
  seal(seals: readonly (AuditSeal & { id: number })[]): Promise<number>
  readHead(): Promise<AuditHead | undefined>
  /** Keeps all others from sealing and purging until the transaction ends. */
  lockHead(): Promise<AuditHead>
  saveHead(head: AuditHead): Promise<void>
  /** Oldest first. */
  listStatements(): Promise<Statement[]>
  saveStatement(statement: Statement): Promise<void>
  /** Deletes what is sealed up to `seq`, and the statements before it. @returns How many entries. */
  purge(seq: number): Promise<number>
  /** Names that more than one entry bears. */
  listDuplicates(limit: number): Promise<string[]>
}

const rowsPerStatement = 100

interface HeadRow {
  id: number
  seq: number
  hash: string
  at: number
  key_id: string
  signature: string
  checkpoint_seq: number
  checkpoint_at: number
  holder: string
  held_until: number
}

interface StatementRow {
  seq: number
  hash: string
  kind: string
  at: number
  key_id: string
  signature: string
}

const onlyHead = { id: 1 }

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createAuditStore(db: Knex): AuditStore {
  const log = () => db<AuditRow>('audit_log')
  const heads = () => db<HeadRow>('audit_head')
  const statements = () => db<StatementRow>('audit_checkpoints')

  function matching(filter: AuditFilter): Knex.QueryBuilder<AuditRow> {
    const query = log()
    const { userId, apiKey, action, outcome, requestId, from, to, before, after } = filter
    if (userId !== undefined) query.where({ user_id: userId })
    if (apiKey !== undefined) query.where({ api_key: apiKey })
    if (action !== undefined) query.where({ action })
    if (outcome !== undefined) query.where({ outcome })
    if (requestId !== undefined) query.where({ request_id: requestId })
    if (from !== undefined) query.where('at', '>=', from)
    if (to !== undefined) query.where('at', '<=', to)
    if (before !== undefined) query.where('id', '<', before)
    if (after !== undefined) query.where('id', '>', after)
    return query
  }

  return {
    async append(entries) {
      for (let done = 0; done < entries.length; done += rowsPerStatement) {
        await log().insert(entries.slice(done, done + rowsPerStatement).map(rowOf))
      }
    },

    async list(filter, limit, order = 'desc') {
      const { apiKey = '', requestId = '' } = filter
      if (!isAsciiValue(apiKey) || !isAsciiValue(requestId)) return []
      const rows: AuditRow[] = await matching(filter).orderBy('id', order).limit(limit)
      return rows.map(recordOf)
    },

    async listSealed(afterSeq, limit) {
      const rows = await log().where('seq', '>', afterSeq).orderBy('seq').orderBy('id').limit(limit)
      return rows.map(recordOf)
    },

    async hasUnsealed() {
      return (await log().whereNull('seq').first('id')) !== undefined
    },

    async listUnsealed(limit, afterId = 0) {
      const rows = await log().whereNull('seq').where('id', '>', afterId).orderBy('id').limit(limit)
      return rows.map(recordOf)
    },

    async seal(seals) {
      if (seals.length === 0) return 0
      const whens = seals.map(() => 'when ? then ?').join(' ')
      const choose = (value: (seal: AuditSeal) => number | string) =>
        db.raw(
          `case id ${whens} end`,
          seals.flatMap((seal) => [seal.id, value(seal)]),
        )
      return log()
        .whereIn(
          'id',
          seals.map(({ id }) => id),
        )
        .whereNull('seq')
        .update({ seq: choose(({ seq }) => seq), hash: choose(({ hash }) => hash) } as object)
    },

    async readHead() {
      const row = await heads().where(onlyHead).first()
      return row && headFromRow(row)
    },

    async lockHead() {
      const locked = () => heads().where(onlyHead).forUpdate().first()
      let row = await locked()
      if (!row) {
        await heads().insert(emptyHead).onConflict('id').ignore()
        row = await locked()
      }
      if (!row) throw new Error('The head of the audit log can neither be read nor made.')
      return headFromRow(row)
    },

    async saveHead({ end, checkpoint, lease }) {
      await heads()
        .where(onlyHead)
        .update({
          ...(end && {
            seq: end.seq,
            hash: end.hash,
            at: end.at,
            key_id: end.keyId,
            signature: end.signature,
          }),
          checkpoint_seq: checkpoint.seq,
          checkpoint_at: checkpoint.at,
          holder: lease.holder,
          held_until: lease.until,
        })
    },

    async listStatements() {
      return (await statements().orderBy('seq')).map(statementFromRow)
    },

    async saveStatement({ kind, seq, hash, at, keyId, signature }) {
      const row = { seq, hash, kind, at, key_id: keyId, signature }
      await statements().insert(row).onConflict('seq').merge()
    },

    async purge(seq) {
      const purged = await log().where('seq', '<=', seq).delete()
      await statements().where('seq', '<', seq).delete()
      return purged
    },

    async listDuplicates(limit) {
      return log().groupBy('uid').havingRaw('count(*) > 1').limit(limit).pluck('uid')
    },
  }
}

const emptyHead: HeadRow = {
  ...onlyHead,
  seq: 0,
  hash: '',
  at: 0,
  key_id: '',
  signature: '',
  checkpoint_seq: 0,
  checkpoint_at: 0,
  holder: '',
  held_until: 0,
}

function headFromRow(row: HeadRow): AuditHead {
  const seq = Number(row.seq)
  return {
    end: seq === 0 ? undefined : statementFromRow({ ...row, kind: 'head' }),
    checkpoint: { seq: Number(row.checkpoint_seq), at: Number(row.checkpoint_at) },
    lease: { holder: row.holder, until: Number(row.held_until) },
  }
}

function statementFromRow(row: StatementRow): Statement {
  return {
    kind: row.kind as StatementKind,
    seq: Number(row.seq),
    hash: row.hash,
    at: Number(row.at),
    keyId: row.key_id,
    signature: row.signature,
  }
}
