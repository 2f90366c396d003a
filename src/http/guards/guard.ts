import type { TokenPrincipal } from '../../domain/actor.js'
import { isPublic, type PublicPath } from '../../domain/public-path.js'
import type { ServiceError } from '../../errors.js'
import type { AskedRequest, GuardHooks } from '../../services/hooks/guarding.js'

/**
 * Lets requests through that need no token.
 *
 * @param hasToken Whether the request brings one. Then it is checked, even if none is needed.
 * @param authenticate The check. @throws {ServiceError}
 * @returns Who it is; `undefined`: anybody.
 * @throws {ServiceError}
 */
export type Guard = (
  request: AskedRequest,
  hasToken: boolean,
  authenticate: () => Promise<TokenPrincipal>,
) => Promise<TokenPrincipal | undefined>

export interface GuardDeps {
  hooks: GuardHooks | undefined
  publicPaths: readonly PublicPath[]
  toServiceError(error: unknown): ServiceError
}

/** @returns `undefined` where every request needs a token: then there is nothing to decide. */
export function createGuard({ hooks, publicPaths, toServiceError }: GuardDeps): Guard | undefined {
  if (!hooks && publicPaths.length === 0) return undefined

  return async function guard(request, hasToken, authenticate) {
    const isRequired = !isPublic(publicPaths, request.method, request.path)
    const usual = isRequired ? 'required' : 'optional'
    const need = hooks ? await hooks.needOf(isRequired, request) : usual
    if (need === 'ignored' || (need === 'optional' && !hasToken)) return undefined
    if (!hooks) return authenticate()
    try {
      return await authenticate()
    } catch (thrown) {
      const failure = await hooks.fateOf(toServiceError(thrown), request)
      if (failure) throw failure
      return undefined
    }
  }
}
