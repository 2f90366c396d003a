import type { AuditFilter, AuditReader } from '../../services/audit/reader.js'
import { presentAuditEntry } from '../../domain/audit-present.js'
import { ServiceError } from '../../errors.js'
import { allAuditArgs, auditArgs, readAuditFilter } from '../audit-params.js'
import type { Authenticator } from '../guards/authenticate.js'
import { auditAnswer } from '../ops/answers.js'
import { readId, readParams } from '../params.js'
import type { RequestContext } from '../state.js'
import type { WpRoute } from './route.js'

export interface AuditRoutesDeps {
  audit: AuditReader
  authenticator: Authenticator
}

export function auditRoutes({ audit, authenticator }: AuditRoutesDeps): WpRoute[] {
  async function list(
    ctx: RequestContext,
    readFilter: () => { filter: AuditFilter; limit: number },
  ): Promise<void> {
    const actor = await authenticator.person(ctx)
    if (!actor) throw new ServiceError('rest_not_logged_in')
    const { filter, limit } = readFilter()
    ctx.body = (await audit.list(actor, filter, limit)).map(presentAuditEntry)
  }

  return [
    {
      path: '/wp/v2/audit',
      endpoints: [
        {
          methods: ['GET'],
          args: allAuditArgs,
          about: {
            tag: 'Audit',
            summary: 'Read the audit log, newest first',
            notes: 'For administrators; one’s own entries, with `user_id`, for everybody.',
            access: 'person',
            answer: auditAnswer,
            failures: ['rest_forbidden_context'],
          },
          handle: (ctx) =>
            list(ctx, () => {
              const params = readParams(allAuditArgs, ctx.query)
              return { filter: readAuditFilter(params), limit: params.per_page }
            }),
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/audit',
      endpoints: [
        {
          methods: ['GET'],
          args: auditArgs,
          about: {
            tag: 'Audit',
            summary: 'Read what happened to a key-pair, newest first',
            notes: 'Its refusals too, with the reason that their answers kept to themselves.',
            access: 'person',
            answer: auditAnswer,
            failures: ['rest_forbidden_context'],
          },
          handle: (ctx) =>
            list(ctx, () => {
              const params = readParams(auditArgs, ctx.query)
              const { user_id: userId, api_key: apiKey = '' } = ctx.params ?? {}
              const filter = { ...readAuditFilter(params), userId: readId(userId), apiKey }
              return { filter, limit: params.per_page }
            }),
        },
      ],
    },
  ]
}
