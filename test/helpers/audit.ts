import type { AuditAction } from '../../src/domain/audit.js'
import type { AuditFilter, AuditRecord } from '../../src/store/audit.js'
import type { Service } from './with-service.js'

/** Writes what the service has collected, and seals everything. */
export async function settle({ runtime }: Pick<Service, 'runtime'>): Promise<void> {
  await runtime.services.audit.recorder.flush()
  await runtime.services.audit.sealer.run()
}

/** Everything in the log, oldest first. */
export async function entries(
  service: Pick<Service, 'runtime'>,
  filter: AuditFilter = {},
): Promise<AuditRecord[]> {
  await settle(service)
  return service.runtime.stores.audit.list(filter, 10_000, 'asc')
}

/** The last entry with an action; fails the test if there is none. */
export async function lastEntry(
  service: Pick<Service, 'runtime'>,
  action: AuditAction,
): Promise<AuditRecord> {
  const found = (await entries(service, { action })).at(-1)
  if (!found) throw new Error(`there is no entry with ${action}`)
  return found
}
