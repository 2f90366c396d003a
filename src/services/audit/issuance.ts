import type { TokenService } from '../tokens.js'
import type { AuditRecorder } from './recorder.js'

/** The service as it is, and an entry in the audit log for whatever it issues. */
export function withIssuanceRecorded(service: TokenService, audit: AuditRecorder): TokenService {
  return {
    ...service,
    async exchange(apiKey, apiSecret, origin, ...rest) {
      const issued = await service.exchange(apiKey, apiSecret, origin, ...rest)
      audit.issued('token.exchanged', issued, origin)
      return issued
    },
    async exchangeVouched(apiKey, origin, ...rest) {
      const issued = await service.exchangeVouched(apiKey, origin, ...rest)
      audit.issued('token.exchanged', issued, origin)
      return issued
    },
    async grant(client, origin, ...rest) {
      const issued = await service.grant(client, origin, ...rest)
      audit.issued('token.exchanged', issued, origin)
      return issued
    },
    async refresh(token, origin, ...rest) {
      const issued = await service.refresh(token, origin, ...rest)
      audit.issued('token.refreshed', issued, origin)
      return issued
    },
    async grantByRefresh(client, token, origin, ...rest) {
      const issued = await service.grantByRefresh(client, token, origin, ...rest)
      audit.issued('token.refreshed', issued, origin)
      return issued
    },
    async authenticateClient(client, origin) {
      return { ...(await service.authenticateClient(client, origin)), origin }
    },
  }
}
