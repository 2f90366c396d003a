import { createSecretKey } from 'node:crypto'
import type { Config } from '../config.js'
import { type ErrorCode, ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Stores } from '../store/index.js'
import { isUnavailable } from '../store/unavailable.js'
import { type Audit, createAudit } from './audit/index.js'
import { withIssuanceRecorded } from './audit/issuance.js'
import { createDeviceService, type DeviceService } from './devices.js'
import { createHousekeeping, type Housekeeping } from './housekeeping.js'
import { type HookSet, noHooks } from './hooks/index.js'
import {
  withAdministrationActions,
  withKeyPairActions,
  withUserActions,
} from './hooks/with-actions.js'
import { withJwtAuthActions, withTokenActions } from './hooks/with-token-actions.js'
import { createJwtAuthService, type JwtAuthService } from './jwt-auth.js'
import { createKeyPairService, type KeyPairService } from './key-pairs.js'
import { createPasskeyService, type PasskeyService } from './passkeys.js'
import { createSecondFactorService, type SecondFactorService } from './second-factors.js'
import { createKeyRing, type KeyRing } from './key-ring.js'
import { createKeyStateReader, type KeyStateReader } from './key-state-reader.js'
import type { Measures } from './measures.js'
import { createNodeService, type NodeService } from './nodes.js'
import { createRegisteredTokenService, type RegisteredTokenService } from './registered-tokens.js'
import { createRateLimits } from './rate-limits.js'
import { createSessionService, type SessionService } from './sessions.js'
import {
  createSigningKeyService,
  type EncryptionKey,
  type SigningKeyService,
} from './signing-keys.js'
import { createStepUpRule } from './step-up.js'
import { createTokenIntrospection, type TokenIntrospection } from './token-introspection.js'
import { createTokenIssuer } from './token-issuer.js'
import { createTokenSigner } from './token-signer.js'
import { createTokenService, type TokenService } from './tokens.js'
import { createUsageRecorder, type UsageRecorder } from './usage-recorder.js'
import { createUserAdministration, type UserAdministration } from './user-administration.js'
import { createUserService, type UserService } from './users.js'

export interface Services {
  keyPairs: KeyPairService
  devices: DeviceService
  registeredTokens: RegisteredTokenService
  tokens: TokenService
  jwtAuth: JwtAuthService
  introspection: TokenIntrospection
  signingKeys: SigningKeyService
  /** The signing keys as this node knows them. */
  keyRing: Pick<KeyRing, 'publicKeys' | 'problem' | 'reload'>
  users: UserService
  userAdministration: UserAdministration
  sessions: SessionService
  secondFactors: SecondFactorService
  passkeys: PasskeyService
  keyStates: KeyStateReader
  nodes: NodeService
  usage: UsageRecorder
  housekeeping: Housekeeping
  /** What the operator's hooks do at the surfaces. */
  hooks: HookSet
  /** Where a token may stand besides `Authorization`. */
  tokenSources: Config['tokenSources']
  audit: Audit
  /** The clock, in seconds since the Unix epoch: for times that are shown relative to it. */
  now(): number
  /** Whether the database answers and its schema is current. */
  readiness(): Promise<'ready' | 'stopping' | 'unreachable' | 'schema_outdated'>
  /** From now on it is not ready, so that nobody sends anything new here. */
  announceStop(): void
  /** What they have counted so far: for whoever watches over them. */
  measures(): Measures
  /** Turns whatever a service threw into the failure that a client may see, and counts it. */
  toServiceError(error: unknown): ServiceError
  close(): Promise<void>
}

export interface ServicesDeps {
  stores: Stores
  config: Pick<
    Config,
    | 'publicUrl'
    | 'tokenSources'
    | 'database'
    | 'accessTokenTtl'
    | 'refreshTokenTtl'
    | 'signatureMemory'
    | 'tokenAudiences'
    | 'extraClaims'
    | 'keyPairScopes'
    | 'keyPairMaxLifetime'
    | 'auditRetention'
    | 'rateLimits'
    | 'refreshGrace'
    | 'requireSecondFactor'
    | 'requireDevice'
    | 'jwtAuth'
  >
  /** The HMAC secret that signs tokens. */
  jwtSecret: string
  /** Whether other processes serve on the same database. */
  isShared: boolean
  encryptionKey: EncryptionKey
  /** What the operator's code changes; nothing if absent. */
  hooks?: HookSet
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
}

export async function createServices(deps: ServicesDeps): Promise<Services> {
  const { stores, config, jwtSecret, encryptionKey, isShared, logger, now } = deps
  const { hooks = noHooks } = deps
  const { emitter } = hooks
  const { accessTokenTtl, refreshTokenTtl, publicUrl } = config
  const audit = createAudit({
    stores,
    jwtSecret,
    retention: config.auditRetention,
    logger,
    now,
  })
  const { trail } = audit
  const keyRing = await createKeyRing({ store: stores.signingKeys, encryptionKey, logger, now })
  const signer = createTokenSigner({
    secret: jwtSecret,
    keyRing,
    memory: config.signatureMemory,
  })
  const tokenIssuer = createTokenIssuer({
    signer,
    issuer: publicUrl,
    audiences: config.tokenAudiences,
    accessTokenTtl,
    refreshTokenTtl,
    jwtAuth: config.jwtAuth,
    shapers: hooks.shapers,
    now,
  })
  const keyStates = createKeyStateReader({
    readStates: stores.keyStates.read,
    readMarkedStates: stores.keyStates.readWithMarks,
    timeoutMs: stateTimeoutMs(config),
    readsPerSecond:
      config.database.dialect === 'mysql' ? config.database.readsPerSecond : undefined,
  })
  const nodes = createNodeService({
    store: stores.nodes,
    keyStates: stores.keyStates,
    isShared,
    logger,
  })
  const usage = createUsageRecorder({
    recordUses: stores.keyPairs.recordUses,
    recordSecretUses: stores.keyPairs.recordSecretUses,
    recordTokenUses: stores.registeredTokens.recordUses,
    addDailyUsage: stores.keyPairUsage.add,
    logger,
  })
  const { jwtAuth } = config
  const tokenLifetime = Math.max(
    accessTokenTtl,
    refreshTokenTtl,
    jwtAuth.accessTokenTtl,
    jwtAuth.refreshTokenTtl,
  )
  const housekeeping = createHousekeeping({
    stores,
    purgeAudit: audit.purge,
    tokenLifetime,
    now,
    logger,
  })
  const limits = createRateLimits({
    config: config.rateLimits,
    shared: stores.rateLimits,
    isShared,
    now,
  })
  const policy = config.requireSecondFactor
  const stepUpRule = createStepUpRule({ policy, now })
  const passkeys = createPasskeyService({ stores, audit: trail, publicUrl, now })
  const secondFactors = createSecondFactorService({
    stores,
    audit: trail,
    limiter: limits.logIn,
    stepUpRule,
    passkeyProofs: passkeys.proofs,
    encryptionKey,
    policy,
    issuer: new URL(publicUrl).host,
    now,
  })
  const plainUsers = createUserService({ stores, audit: trail, limiter: limits.logIn, now })
  const users = emitter ? withUserActions(plainUsers, { emitter, now }) : plainUsers
  const plainAdministration = createUserAdministration({ stores, audit: trail, users })
  const plainKeyPairs = createKeyPairService({
    stores,
    audit: trail,
    scopes: config.keyPairScopes,
    maxLifetime: config.keyPairMaxLifetime,
    stepUpRule,
    now,
  })
  const keyPairs = emitter ? withKeyPairActions(plainKeyPairs, { emitter, now }) : plainKeyPairs
  const devices = createDeviceService({
    stores,
    audit: trail,
    keyStates,
    keyPairs,
    cookieKey: createSecretKey(Buffer.from(jwtSecret)),
    grace: config.refreshGrace,
    logger,
    now,
  })
  const registeredTokens = createRegisteredTokenService({ stores, audit: trail, keyPairs, now })
  const tokenDeps = {
    stores,
    keyStates,
    signer,
    usage,
    tokenIssuer,
    limiter: limits.exchange,
    devices,
    registeredTokens,
    requireDevice: config.requireDevice,
    scopes: config.keyPairScopes,
    extraClaims: config.extraClaims,
    issuer: publicUrl,
    hooks,
    now,
  }
  const plainTokens = createTokenService(tokenDeps)
  const recorded = withIssuanceRecorded(plainTokens, audit.recorder)
  const tokens = emitter ? withTokenActions(recorded, { emitter, now }) : recorded
  const plainJwtAuth = createJwtAuthService({
    ...tokenDeps,
    audit: audit.recorder,
    tokens: recorded,
  })
  let isStopping = false
  const failures = new Map<ErrorCode, number>()
  function toServiceError(error: unknown): ServiceError {
    if (error instanceof ServiceError) return error
    const code = isUnavailable(error) ? 'rest_service_unavailable' : 'rest_internal_error'
    return new ServiceError(code, { cause: error })
  }

  return {
    keyPairs,
    devices,
    registeredTokens,
    tokens,
    jwtAuth: emitter ? withJwtAuthActions(plainJwtAuth, { emitter, now }) : plainJwtAuth,
    introspection: createTokenIntrospection({
      tokens,
      keyPairs,
      devices,
      registeredTokens,
      limiter: limits.introspection,
    }),
    signingKeys: createSigningKeyService({ stores, audit: trail, encryptionKey, now }),
    keyRing,
    users,
    userAdministration: emitter
      ? withAdministrationActions(plainAdministration, { emitter, now })
      : plainAdministration,
    sessions: createSessionService({
      stores,
      audit: trail,
      limiter: limits.logIn,
      secondFactors,
      now,
    }),
    secondFactors,
    passkeys,
    keyStates,
    nodes,
    usage,
    housekeeping,
    hooks,
    tokenSources: config.tokenSources,
    audit,
    now,
    announceStop() {
      isStopping = true
    },
    async readiness() {
      if (isStopping) return 'stopping'
      try {
        return (await stores.pendingMigrations()).length === 0 ? 'ready' : 'schema_outdated'
      } catch {
        return 'unreachable'
      }
    },
    measures: () => ({
      stateReads: keyStates.measures(),
      signatureMemory: signer.measures(),
      usageBacklog: usage.backlog(),
      failures,
    }),
    toServiceError(thrown) {
      const error = toServiceError(thrown)
      failures.set(error.code, (failures.get(error.code) ?? 0) + 1)
      return error
    },
    async close() {
      await nodes.close()
      keyRing.close()
      housekeeping.close()
      await emitter?.close()
      await usage.close()
      await audit.close()
    },
  }
}

/** Longest wait for the state of a key, in milliseconds: where servers may take over, until one has. */
function stateTimeoutMs({ database }: ServicesDeps['config']): number {
  return database.dialect === 'mysql' ? database.waitMs : 2000
}
