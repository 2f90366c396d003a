import type { Knex } from 'knex'
import type { ServingNode } from '../domain/node.js'
import { retryDeadlocks } from './retry.js'

/** A key that somebody wants to know about from a node. */
export interface NodeCheck {
  checkId: string
  apiKey: string
}

/** What a node has found when it looked. */
export interface NodeAnswer {
  nodeId: string
  isRefused: boolean
  readMicros: number
}

export interface NodeStore {
  /** @returns Every process that has been silent for no longer than that, oldest first. */
  list(silentMs: number): Promise<ServingNode[]>
  /** A sign of life; registers the node if it is not known, or not known any more. */
  beat(node: Pick<ServingNode, 'id' | 'name' | 'version' | 'readMicros'>): Promise<void>
  remove(id: string): Promise<void>
  /** Forgets nodes that have been silent for longer, and checks that nobody has fetched. */
  purge(silentMs: number): Promise<void>
  ask(check: NodeCheck, nodeIds: readonly string[]): Promise<void>
  /** What a node has not answered yet. */
  listOpen(nodeId: string): Promise<NodeCheck[]>
  answer(checkId: string, answer: NodeAnswer): Promise<void>
  listAnswers(checkId: string): Promise<NodeAnswer[]>
  /** Withdraws a check, answered or not. */
  withdraw(checkId: string): Promise<void>
}

interface NodeRow {
  id: string
  name: string
  version: string
  started_at: number
  seen_at: number
  read_us: number
}

interface CheckRow {
  node_id: string
  check_id: string
  api_key: string
  asked_at: number
  is_refused: number | null
  read_us: number | null
}

// Of each dialect: milliseconds since the epoch, in whatever time zone the connection is.
const clocks = {
  mysql: '(unix_timestamp() * 1000 + floor(microsecond(now(3)) / 1000))',
  sqlite: "cast(unixepoch('subsec') * 1000 as integer)",
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createNodeStore(db: Knex): NodeStore {
  const clock = db.client.dialect === 'mysql' ? clocks.mysql : clocks.sqlite
  const nodes = () => db<NodeRow>('nodes')
  const checks = () => db<CheckRow>('node_checks')
  const now = () => db.raw(clock) as unknown as number
  const before = (ms: number) => db.raw(`${clock} - ?`, [ms]) as unknown as number
  const send = <T>(work: () => PromiseLike<T>) => retryDeadlocks(async () => work(), db)

  return {
    async list(silentMs) {
      const rows: (NodeRow & { silent_ms: number })[] = await nodes()
        .select('*', db.raw(`${clock} - seen_at as silent_ms`))
        .where('seen_at', '>=', before(silentMs))
        .orderBy('started_at')
        .orderBy('id')
      return rows.map((row) => ({
        id: row.id,
        name: row.name,
        version: row.version,
        startedAt: row.started_at,
        silentMs: Math.max(0, row.silent_ms),
        readMicros: row.read_us,
      }))
    },

    async beat({ id, name, version, readMicros }) {
      const sign = { seen_at: now(), read_us: readMicros }
      if ((await send(() => nodes().where({ id }).update(sign))) > 0) return
      const started_at = db.raw(`floor(${clock} / 1000)`) as unknown as number
      await send(() => nodes().insert({ id, name, version, started_at, ...sign }))
    },

    async remove(id) {
      await send(() => nodes().where({ id }).delete())
      await send(() => checks().where({ node_id: id }).delete())
    },

    async purge(silentMs) {
      await send(() => nodes().where('seen_at', '<', before(silentMs)).delete())
      await send(() => checks().where('asked_at', '<', before(silentMs)).delete())
    },

    async ask({ checkId, apiKey }, nodeIds) {
      if (nodeIds.length === 0) return
      const rows = nodeIds.map((node_id) => ({
        node_id,
        check_id: checkId,
        api_key: apiKey,
        asked_at: now(),
      }))
      await send(() => checks().insert(rows))
    },

    async listOpen(nodeId) {
      const rows = await checks().where({ node_id: nodeId }).whereNull('is_refused')
      return rows.map((row) => ({ checkId: row.check_id, apiKey: row.api_key }))
    },

    async answer(checkId, { nodeId, isRefused, readMicros }) {
      const answer = { is_refused: isRefused ? 1 : 0, read_us: readMicros }
      await send(() => checks().where({ node_id: nodeId, check_id: checkId }).update(answer))
    },

    async listAnswers(checkId) {
      const rows = await checks().where({ check_id: checkId }).whereNotNull('is_refused')
      return rows.map((row) => ({
        nodeId: row.node_id,
        isRefused: row.is_refused === 1,
        readMicros: row.read_us ?? 0,
      }))
    },

    async withdraw(checkId) {
      await send(() => checks().where({ check_id: checkId }).delete())
    },
  }
}
