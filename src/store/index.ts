import type { Knex } from 'knex'
import { type AuditStore, createAuditStore } from './audit.js'
import { createDeviceStore, type DeviceStore } from './devices.js'
import { createKeyPairUsageStore, type KeyPairUsageStore } from './key-pair-usage.js'
import { createKeyPairStore, type KeyPairStore } from './key-pairs.js'
import { createKeyStateStore, type KeyStateStore } from './key-states.js'
import { createNodeStore, type NodeStore } from './nodes.js'
import { pendingMigrations } from './migrate.js'
import { createRateLimitStore, type RateLimitStore } from './rate-limits.js'
import { retryDeadlocks, retryElsewhere } from './retry.js'
import { createPasskeyStore, type PasskeyStore } from './passkeys.js'
import { createPendingProofStore, type PendingProofStore } from './pending-proofs.js'
import { createRegisteredTokenStore, type RegisteredTokenStore } from './registered-tokens.js'
import { createSecondFactorStore, type SecondFactorStore } from './second-factors.js'
import { createSessionStore, type SessionStore } from './sessions.js'
import { createSigningKeyStore, type SigningKeyStore } from './signing-keys.js'
import { createUserStore, type UserStore } from './users.js'

export interface Stores {
  audit: AuditStore
  users: UserStore
  keyPairs: KeyPairStore
  keyPairUsage: KeyPairUsageStore
  keyStates: KeyStateStore
  devices: DeviceStore
  registeredTokens: RegisteredTokenStore
  sessions: SessionStore
  signingKeys: SigningKeyStore
  rateLimits: RateLimitStore
  secondFactors: SecondFactorStore
  passkeys: PasskeyStore
  pendingProofs: PendingProofStore
  nodes: NodeStore
  /**
   * Runs `work` on stores of its own: SQLite has one connection, so a query on the outer stores
   * inside a transaction would wait for itself. After a deadlock `work` is run again, so it must
   * have no effect but on the database.
   */
  transaction<T>(work: (tx: Stores) => Promise<T>): Promise<T>
  /** @returns The names of migrations that have not been run. @throws if unreachable. */
  pendingMigrations(): Promise<string[]>
}

export interface StoresOptions {
  /** How long something is tried again while one of several database servers takes over from another. */
  waitMs?: number
}

export function createStores(db: Knex, { waitMs = 0 }: StoresOptions = {}): Stores {
  return {
    audit: createAuditStore(db),
    users: createUserStore(db),
    keyPairs: createKeyPairStore(db),
    keyPairUsage: createKeyPairUsageStore(db),
    keyStates: createKeyStateStore(db, waitMs),
    devices: createDeviceStore(db),
    registeredTokens: createRegisteredTokenStore(db),
    sessions: createSessionStore(db),
    signingKeys: createSigningKeyStore(db),
    rateLimits: createRateLimitStore(db),
    secondFactors: createSecondFactorStore(db),
    passkeys: createPasskeyStore(db),
    pendingProofs: createPendingProofStore(db),
    nodes: createNodeStore(db),
    transaction(work) {
      const once = () => db.transaction((trx) => work(createStores(trx)))
      return retryElsewhere(() => retryDeadlocks(once), waitMs)
    },
    pendingMigrations: () => retryElsewhere(() => pendingMigrations(db), waitMs),
  }
}
