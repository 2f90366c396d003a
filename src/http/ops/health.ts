import Router from '@koa/router'
import type { Services } from '../../services/index.js'
import type { AppRouter, RequestState } from '../state.js'

/** `/healthz`: this process runs. `/readyz`: it can serve, because the database answers. */
export function healthRouter({ readiness }: Pick<Services, 'readiness'>): AppRouter {
  const router = new Router<RequestState>({ sensitive: true })
  router.get('/healthz', (ctx) => {
    ctx.body = { status: 'ok' }
  })
  router.get('/readyz', async function showReadiness(ctx) {
    const status = await readiness()
    ctx.status = status === 'ready' ? 200 : 503
    if (status !== 'ready') ctx.set('Retry-After', '2')
    ctx.body = { status }
  })
  return router
}
