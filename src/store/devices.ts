import type { Knex } from 'knex'
import {
  type Device,
  type DeviceEnd,
  type DeviceIncident,
  hashDeviceName,
  maxDevices,
} from '../domain/device.js'
import { isAsciiValue } from './ascii.js'
import { type DeviceRow, deviceFromRow } from './device-rows.js'
import { retryDeadlocks } from './retry.js'

export interface ChainStart {
  keyPairId: number
  name: string
  chain: string
  secretVersion: number
  at: number
  refreshExpiresAt: number
  expiresAt: number
  ip: string | null
  userAgent: string | null
}

export type ChainRotation = Pick<
  ChainStart,
  'at' | 'refreshExpiresAt' | 'expiresAt' | 'ip' | 'userAgent'
> & {
  /** The one that is replaced: of two simultaneous rotations, one wins. */
  fromGeneration: number
}

export interface ChainEnd {
  at: number
  by: number | null
  reason: DeviceEnd
  incident?: DeviceIncident
}

export interface DeviceUse {
  chain: string
  at: number
  ip: string | null
}

/** A device, and whose it is. */
export type OwnedDevice = Device & { apiKey: string; userId: number }

export interface DeviceStore {
  /**
   * Begins a chain. A device that is known starts over: what names its chain of before names nothing
   * any more.
   *
   * @returns `full` if the key-pair has {@link maxDevices} others, `gone` if there is no such pair.
   */
  start(start: ChainStart): Promise<'started' | 'full' | 'gone'>
  /** @returns Whether this call rotated it: `false` if it has ended, or another call came first. */
  rotate(chain: string, rotation: ChainRotation): Promise<boolean>
  /** @returns Whether this call ended it: `false` if there is none, or it had ended before. */
  end(chain: string, end: ChainEnd): Promise<boolean>
  /** The same by the device's id, whatever its chain. */
  endDevice(keyPairId: number, id: number, end: ChainEnd): Promise<boolean>
  find(chain: string): Promise<OwnedDevice | undefined>
  /** Last used first. */
  listByKeyPairs(keyPairIds: readonly number[], limit?: number): Promise<Device[]>
  /** Touches nothing but `last_used_at` and `last_ip`, so it can never undo a signing out. */
  recordUses(uses: readonly DeviceUse[]): Promise<void>
  /** @returns How many were deleted of which no token lives, and whose incidents are that old. */
  purge(now: number, incidentsBefore: number): Promise<number>
}

/** @param db A connection, or a transaction: the store cannot tell and need not care. */
export function createDeviceStore(db: Knex): DeviceStore {
  const devices = (connection = db) => connection<DeviceRow>('devices')
  const running = (chain: string) => devices().where({ chain }).whereNull('ended_at')

  async function restart(connection: Knex, start: ChainStart): Promise<boolean> {
    const place = { key_pair_id: start.keyPairId, name_hash: hashDeviceName(start.name) }
    return (await devices(connection).where(place).update(startColumns(start))) > 0
  }

  /** Only the first use of a name comes here: it waits for others of the same pair, and is counted. */
  async function insert(trx: Knex, start: ChainStart): Promise<'started' | 'full' | 'gone'> {
    const { keyPairId, name, at } = start
    if (!(await trx('key_pairs').where({ id: keyPairId }).forUpdate().first('id'))) return 'gone'
    if (await restart(trx, start)) return 'started'
    const ofPair = () => devices(trx).where({ key_pair_id: keyPairId })
    const count = async () => Number((await ofPair().count({ total: '*' }))[0]?.total)
    if ((await count()) >= maxDevices) {
      const isOver = (where: Knex.QueryBuilder) =>
        where.whereNotNull('ended_at').orWhere('expires_at', '<=', at)
      await ofPair().whereNull('incident_at').where(isOver).delete()
      if ((await count()) >= maxDevices) return 'full'
    }
    await devices(trx).insert({
      key_pair_id: keyPairId,
      name,
      name_hash: hashDeviceName(name),
      created_at: at,
      ...startColumns(start),
    })
    return 'started'
  }

  return {
    async start(start) {
      return retryDeadlocks(async () => {
        if (await restart(db, start)) return 'started'
        return db.transaction((trx) => insert(trx, start))
      })
    },

    async rotate(chain, { fromGeneration, ...rotation }) {
      const changed = await retryDeadlocks(async () =>
        running(chain)
          .where({ generation: fromGeneration })
          .update({ ...issueColumns(rotation), generation: fromGeneration + 1 }),
      )
      return changed > 0
    },

    async end(chain, end) {
      return (await retryDeadlocks(async () => running(chain).update(endColumns(end)))) > 0
    },

    async endDevice(keyPairId, id, end) {
      const changed = await retryDeadlocks(async () =>
        devices()
          .where({ id, key_pair_id: keyPairId })
          .whereNull('ended_at')
          .update(endColumns(end)),
      )
      return changed > 0
    },

    async find(chain) {
      if (!isAsciiValue(chain)) return undefined
      const row = await db('devices')
        .join('key_pairs', 'key_pairs.id', 'devices.key_pair_id')
        .where('devices.chain', chain)
        .first(['devices.*', 'key_pairs.api_key', 'key_pairs.user_id'])
      return row && { ...deviceFromRow(row), apiKey: row.api_key, userId: row.user_id }
    },

    async listByKeyPairs(keyPairIds, limit = keyPairIds.length * maxDevices) {
      if (keyPairIds.length === 0) return []
      const rows = await devices()
        .whereIn('key_pair_id', keyPairIds)
        .orderBy([
          { column: 'last_used_at', order: 'desc' },
          { column: 'id', order: 'desc' },
        ])
        .limit(limit)
      return rows.map(deviceFromRow)
    },

    async recordUses(uses) {
      if (uses.length === 0) return
      const whens = uses.map(() => 'when ? then ?').join(' ')
      const columns = {
        last_used_at: db.raw(
          `case chain ${whens} else last_used_at end`,
          uses.flatMap((use) => [use.chain, use.at]),
        ),
        last_ip: db.raw(
          `case chain ${whens} else last_ip end`,
          uses.flatMap((use) => [use.chain, use.ip]),
        ),
      }
      const chains = uses.map((use) => use.chain)
      await retryDeadlocks(async () => devices().whereIn('chain', chains).update(columns))
    },

    async purge(now, incidentsBefore) {
      return devices()
        .where('expires_at', '<=', now)
        .where((where) =>
          where.whereNull('incident_at').orWhere('incident_at', '<=', incidentsBefore),
        )
        .delete()
    },
  }
}

function issueColumns(issue: Omit<ChainRotation, 'fromGeneration'>) {
  return {
    issued_at: issue.at,
    issued_ip: issue.ip,
    refresh_expires_at: issue.refreshExpiresAt,
    expires_at: issue.expiresAt,
    last_used_at: issue.at,
    last_ip: issue.ip,
    user_agent: issue.userAgent,
  }
}

function startColumns(start: ChainStart) {
  return {
    ...issueColumns(start),
    chain: start.chain,
    generation: 0,
    started_at: start.at,
    secret_version: start.secretVersion,
    ended_at: null,
    ended_by: null,
    ended_reason: null,
  }
}

function endColumns({ at, by, reason, incident }: ChainEnd) {
  return {
    ended_at: at,
    ended_by: by,
    ended_reason: reason,
    ...(incident && {
      incident_at: incident.at,
      incident_ip: incident.ip,
      incident_issued_ip: incident.issuedIp,
    }),
  }
}
