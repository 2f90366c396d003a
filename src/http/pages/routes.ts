import Router from '@koa/router'
import type { Services } from '../../services/index.js'
import type { FailureAnswer } from '../error-handler.js'
import type { OpenApiDocument } from '../ops/openapi.js'
import { pageHeaders } from '../security-headers.js'
import type { SessionCookie } from '../session-cookie.js'
import type { AppRouter, RequestState } from '../state.js'
import { createAssets } from './assets.js'
import { auditPages } from './audit.js'
import { docsPage } from './docs.js'
import { loginPages } from './login.js'
import { createPageMaker } from './page.js'
import { profilePages } from './profile.js'
import { secondStepPages } from './second-step.js'
import { usersPages } from './users.js'
import { createVisitors } from './visitor.js'

export interface PagesDeps {
  services: Services
  cookie: SessionCookie
  publicUrl: string
  answerFailure: FailureAnswer
  /** What the page about the API shows. */
  document: OpenApiDocument
}

/** What people see. Reads the pages' own files once, from `public/`. */
export function pagesRouter(pagesDeps: PagesDeps): AppRouter {
  const { services, cookie, publicUrl, answerFailure, document } = pagesDeps
  const assets = createAssets()
  const visitors = createVisitors({ services, cookie, publicUrl, assets: assets.base })
  const page = createPageMaker({ visitors, answerFailure, headers: pageHeaders({ publicUrl }) })
  const router = new Router<RequestState>({ sensitive: true })
  router.get('/', (ctx) => ctx.redirect('/profile'))
  const deps = { services, cookie, visitors, page, publicUrl }
  const parts = [
    assets.router,
    loginPages(deps),
    secondStepPages(deps),
    auditPages(deps),
    profilePages(deps),
    usersPages(deps),
    docsPage({ visitors, page, document }),
  ]
  for (const part of parts) router.use(part.routes())
  return router
}
