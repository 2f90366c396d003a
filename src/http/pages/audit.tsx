import Router from '@koa/router'
import { isAdministrator } from '../../domain/user.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import { AuditSection } from '../../views/audit.js'
import { Page } from '../../views/page.js'
import { allAuditArgs, readAuditFilter } from '../audit-params.js'
import { readId, readParams } from '../params.js'
import type { AppRouter, RequestContext, RequestState } from '../state.js'
import { type PageMaker, readable, send } from './page.js'
import { queryText } from './query.js'
import type { Visitor, Visitors } from './visitor.js'

export interface AuditPagesDeps {
  services: Services
  visitors: Visitors
  page: PageMaker
}

const perPage = 50
const names = Object.keys(allAuditArgs.shape).filter((name) => name !== 'per_page')

/** `/profile/activity` for everybody, and `/audit` for administrators. */
export function auditPages({ services, visitors, page }: AuditPagesDeps): AppRouter {
  const { reader } = services.audit
  const router = new Router<RequestState>({ sensitive: true })

  async function show(
    ctx: RequestContext,
    { actor, context }: Visitor,
    address: string,
    /** Whose; everybody's if absent. */
    userId?: number,
  ): Promise<void> {
    const values = Object.fromEntries(names.map((name) => [name, queryText(ctx, name)]))
    const given = Object.fromEntries(Object.entries(values).filter(([, value]) => value !== ''))
    let problem: string | undefined
    let filter = {}
    try {
      filter = readAuditFilter(readParams(allAuditArgs, given))
    } catch (error) {
      if (!(error instanceof ServiceError) || error.status !== 400) throw error
      problem = readable(error)
    }
    const own = userId === undefined ? {} : { userId }
    const found = await reader.list(actor, { ...filter, ...own }, perPage + 1)
    const entries = found.slice(0, perPage)
    const last = entries.at(-1)
    const next = new URLSearchParams({ ...given, before: String(last?.id) })
    const isOfAll = userId === undefined
    const title = isOfAll ? 'Audit log' : 'Activity'
    send(
      ctx,
      <Page context={context} title={title} section={isOfAll ? 'audit' : 'profile'}>
        <div class="page-head">
          <h1>{title}</h1>
        </div>
        <AuditSection
          entries={entries}
          now={context.now}
          address={address}
          values={values}
          isOfOne={!isOfAll}
          next={last && found.length > perPage ? `${address}?${next}` : undefined}
          problem={problem}
        />
      </Page>,
      problem === undefined ? 200 : 400,
    )
  }

  router.get(
    '/profile/activity',
    page(async function showOwn(ctx) {
      const visitor = await visitors.require(ctx)
      await show(ctx, visitor, '/profile/activity', visitor.actor.user.id)
    }),
  )

  router.get(
    '/users/:id/profile/activity',
    page(async function showOther(ctx) {
      const visitor = await visitors.require(ctx)
      const id = readId(ctx.params?.id)
      await show(ctx, visitor, `/users/${id}/profile/activity`, id)
    }),
  )

  router.get(
    '/audit',
    page(async function showAll(ctx) {
      const visitor = await visitors.require(ctx)
      if (!isAdministrator(visitor.actor.user)) throw new ServiceError('rest_forbidden_context')
      await show(ctx, visitor, '/audit')
    }),
  )

  return router
}
