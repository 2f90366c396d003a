import type { Actor } from '../../domain/actor.js'
import { isAdministrator } from '../../domain/user.js'
import { ServiceError } from '../../errors.js'
import type { AuditFilter, AuditRecord, AuditStore } from '../../store/audit.js'

export type { AuditFilter, AuditRecord } from '../../store/audit.js'

export interface AuditReader {
  /**
   * Newest first; what this node has seen until now is among them.
   *
   * @throws {ServiceError} `rest_forbidden_context` for what is not one's own, unless an
   *   administrator asks.
   */
  list(viewer: Actor, filter: AuditFilter, limit: number): Promise<AuditRecord[]>
  /** All that match, oldest first, for whoever has the machine. */
  scan(filter: AuditFilter): AsyncGenerator<AuditRecord>
}

const pageSize = 500

export interface AuditReaderDeps {
  store: Pick<AuditStore, 'list'>
  /** Writes what has been collected. */
  flush(): Promise<void>
}

export function createAuditReader({ store, flush }: AuditReaderDeps): AuditReader {
  return {
    async list(viewer, filter, limit) {
      const maySeeAll = viewer.kind === 'operator' || isAdministrator(viewer.user)
      if (!maySeeAll && filter.userId !== viewer.user.id) {
        throw new ServiceError('rest_forbidden_context')
      }
      // Whoever was refused a moment ago comes to see why.
      await flush()
      const found = await store.list(filter, limit)
      return maySeeAll ? found : found.map((entry) => withoutOthers(entry, viewer.user.id))
    },

    async *scan(filter) {
      let after = filter.after ?? 0
      for (;;) {
        const page = await store.list({ ...filter, after }, pageSize, 'asc')
        yield* page
        const last = page.at(-1)
        if (!last || page.length < pageSize) return
        after = last.id
      }
    },
  }
}

/** Where an administrator sits is no business of those whom they look after. */
function withoutOthers(entry: AuditRecord, userId: number): AuditRecord {
  if (entry.actor.kind !== 'user' || entry.actor.id === userId) return entry
  return { ...entry, ip: null, userAgent: null }
}
