import type { PublicPath } from '../../domain/public-path.js'
import { type ErrorCode, ServiceError } from '../../errors.js'
import type {
  Actions,
  Credentials,
  CustomCredentials,
  HookContext,
  HookName,
  Hooks,
  JsonObject,
  ResponseContext,
  TokenDialect,
} from '../../hooks.js'
import type { Logger } from '../../logger.js'
import { createEmitter, type Emitter } from './actions.js'
import { askAtStart } from './asked-at-start.js'
import { asChoice, asObject, isRefusal } from './checked.js'
import { createGuardHooks, type GuardHooks } from './guarding.js'
import { createHookRunner, type HookRunner } from './runner.js'
import { createShapers, type TokenShaper } from './shaping.js'
import { createVerdict, type TokenVerdict } from './verdict.js'

type WithoutCommon<Context extends HookContext> = Omit<Context, keyof HookContext>

/** A body, and what a hook makes of it. @throws {ServiceError} 500 or 504. */
type BodyFilter<Context extends HookContext> = (
  body: JsonObject,
  context: WithoutCommon<Context>,
) => Promise<JsonObject>

/**
 * A key-pair found by other credentials than its own.
 *
 * @returns Its API key; `undefined` if the credentials are the usual ones.
 * @throws {ServiceError} if the hook refuses; 500 or 504.
 */
type KeyPairFinder<Given extends HookContext> = (
  credentials: WithoutCommon<Given>,
) => Promise<string | undefined>

/**
 * All that was configured, ready to be called. What is absent was not: whoever would call it decides
 * once, at start, and requests pay nothing.
 */
export interface HookSet {
  shapers: Partial<Record<TokenDialect, TokenShaper>>
  verdict?: TokenVerdict | undefined
  guard?: GuardHooks | undefined
  forwardAuth: ForwardAuthSettings
  user?: KeyPairFinder<Credentials> | undefined
  tokenResponse?: BodyFilter<ResponseContext> | undefined
  tokenSchema?: BodyFilter<HookContext> | undefined
  keyPairSchema?: BodyFilter<HookContext> | undefined
  /** Of `/jwt-auth/v1`. */
  customAuth?: KeyPairFinder<CustomCredentials> | undefined
  jwtAuthCredentialResponse?: BodyFilter<ResponseContext> | undefined
  jwtAuthTokenResponse?: BodyFilter<Parameters<Hooks['jwtAuthTokenResponse']>[1]> | undefined
  /** The issuer of tokens of that namespace. */
  jwtAuthIssuer?: string | undefined
  /** In lower case, if another than `authorization` has the token there. */
  authorizationHeader?: string | undefined
  corsAllowHeaders?: readonly string[] | undefined
  emitter?: Emitter | undefined
}

export interface ForwardAuthSettings {
  publicPaths: readonly PublicPath[]
  /** A header in lower case, or `request`; `undefined` where it is not known. */
  uriFrom: string | undefined
  methodFrom: string | undefined
}

export const noHooks: HookSet = {
  shapers: {},
  forwardAuth: { publicPaths: [], uriFrom: undefined, methodFrom: undefined },
}

/** The extensions, once they have been read. */
export interface ReadExtensions {
  hooks: Partial<Hooks>
  actions: Partial<Actions>
  hookTimeoutMs: number
  forwardAuth: ForwardAuthSettings
}

export interface HookSetDeps {
  publicUrl: string
  /** What pages of other origins may send, unless a hook says otherwise. */
  corsAllowHeaders: readonly string[]
  logger: Logger
}

/** @throws {StartHookError} */
export async function createHookSet(
  extensions: ReadExtensions,
  { publicUrl, corsAllowHeaders, logger }: HookSetDeps,
): Promise<HookSet> {
  const { hooks, actions, forwardAuth } = extensions
  const { hookTimeoutMs: timeoutMs } = extensions
  const runner = createHookRunner({ logger, timeoutMs })
  const atStart = await askAtStart(hooks, { publicUrl, corsAllowHeaders, timeoutMs })
  const filter = <Context extends HookContext>(name: BodyHookName) =>
    hooks[name] && createBodyFilter<Context>(hooks, name, runner)
  return {
    ...atStart,
    shapers: createShapers({
      hooks,
      runner,
      logger,
      jwtAuthIssuer: atStart.jwtAuthIssuer ?? publicUrl,
    }),
    verdict: createVerdict(hooks, runner),
    guard: createGuardHooks(hooks, runner),
    forwardAuth,
    user:
      hooks.user &&
      createFinder('user', hooks.user, runner, 'rest_authentication_invalid_api_key_secret'),
    customAuth:
      hooks.customAuth &&
      createFinder('customAuth', hooks.customAuth, runner, 'jwt_auth_custom_auth_failed'),
    tokenResponse: filter<ResponseContext>('tokenResponse'),
    tokenSchema: filter<HookContext>('tokenSchema'),
    keyPairSchema: filter<HookContext>('keyPairSchema'),
    jwtAuthCredentialResponse: filter<ResponseContext>('jwtAuthCredentialResponse'),
    jwtAuthTokenResponse:
      filter<Parameters<Hooks['jwtAuthTokenResponse']>[1]>('jwtAuthTokenResponse'),
    emitter: Object.keys(actions).length > 0 ? createEmitter(actions, logger) : undefined,
  }
}

type BodyHookName =
  | 'tokenResponse'
  | 'tokenSchema'
  | 'keyPairSchema'
  | 'jwtAuthCredentialResponse'
  | 'jwtAuthTokenResponse'

function createBodyFilter<Context extends HookContext>(
  hooks: Partial<Hooks>,
  name: BodyHookName,
  runner: HookRunner,
): BodyFilter<Context> {
  const hook = hooks[name] as (body: JsonObject, context: Context) => JsonObject
  return (body, context) =>
    runner.run(
      name,
      (common) => hook(structuredClone(body), { ...context, ...common } as Context),
      asObject,
    )
}

function createFinder<Given extends HookContext>(
  name: HookName,
  hook: (
    found: undefined,
    credentials: Given,
  ) => ReturnType<Hooks['user']> | ReturnType<Hooks['customAuth']>,
  runner: HookRunner,
  code: ErrorCode,
): KeyPairFinder<Given> {
  return async function find(credentials) {
    const found = await runner.run(
      name,
      (common) => hook(undefined, { ...credentials, ...common } as Given),
      asChoice,
    )
    if (!isRefusal(found)) return found?.apiKey
    throw new ServiceError(code, { message: found.refuse })
  }
}
