import type { Knex } from 'knex'
import * as createUsers from './migrations/20261123000100-create-users.js'
import * as createKeyPairs from './migrations/20261123000200-create-key-pairs.js'
import * as createSessions from './migrations/20261123000300-create-sessions.js'
import * as createKeyPairUsage from './migrations/20261123000400-create-key-pair-usage.js'
import * as createSigningKeys from './migrations/20261123000600-create-signing-keys.js'
import * as addKeyPairPolicy from './migrations/20261123000700-add-key-pair-policy.js'
import * as addPreviousSecret from './migrations/20261123000800-add-previous-secret.js'
import * as createDevices from './migrations/20261123000900-create-devices.js'
import * as addRequireDevice from './migrations/20261123000910-add-require-device.js'
import * as createRegisteredTokens from './migrations/20261123001000-create-registered-tokens.js'
import * as indexSecrets from './migrations/20261123001050-index-secrets.js'
import * as createRateLimits from './migrations/20261123001100-create-rate-limits.js'
import * as createSecondFactors from './migrations/20261123001200-create-second-factors.js'
import * as addSecondFactorTime from './migrations/20261123001210-add-second-factor-time.js'
import * as createAuditLog from './migrations/20261123001300-create-audit-log.js'
import * as createAuditCheckpoints from './migrations/20261123001310-create-audit-checkpoints.js'
import * as createAuditHead from './migrations/20261123001320-create-audit-head.js'
import * as createNodes from './migrations/20261123001400-create-nodes.js'
import * as createNodeChecks from './migrations/20261123001410-create-node-checks.js'
import * as addUserExpiry from './migrations/20261123001500-add-user-expiry.js'

const migrations: Record<string, Knex.Migration> = {
  '20261123000100-create-users': createUsers,
  '20261123000200-create-key-pairs': createKeyPairs,
  '20261123000300-create-sessions': createSessions,
  '20261123000400-create-key-pair-usage': createKeyPairUsage,
  '20261123000600-create-signing-keys': createSigningKeys,
  '20261123000700-add-key-pair-policy': addKeyPairPolicy,
  '20261123000800-add-previous-secret': addPreviousSecret,
  '20261123000900-create-devices': createDevices,
  '20261123000910-add-require-device': addRequireDevice,
  '20261123001000-create-registered-tokens': createRegisteredTokens,
  '20261123001050-index-secrets': indexSecrets,
  '20261123001100-create-rate-limits': createRateLimits,
  '20261123001200-create-second-factors': createSecondFactors,
  '20261123001210-add-second-factor-time': addSecondFactorTime,
  '20261123001300-create-audit-log': createAuditLog,
  '20261123001310-create-audit-checkpoints': createAuditCheckpoints,
  '20261123001320-create-audit-head': createAuditHead,
  '20261123001400-create-nodes': createNodes,
  '20261123001410-create-node-checks': createNodeChecks,
  '20261123001500-add-user-expiry': addUserExpiry,
}

/** Every migration, oldest first, by the name under which knex records it. */
export const migrationNames: readonly string[] = Object.keys(migrations).sort()

/**
 * knex would record file names with their extension, so that a database migrated from the sources
 * (`.ts`) looked corrupt to the build (`.js`). Names without extension are the same in both.
 */
export const migrationSource: Knex.MigrationSource<NamedMigration> = {
  getMigrations: async () => migrationNames.map((file) => ({ file })),
  getMigrationName: ({ file }) => file,
  getMigration: async ({ file }) => {
    const migration = migrations[file]
    if (!migration) throw new Error(`There is no migration named ${file}`)
    return migration
  },
}

/** knex's command line prints `file`. */
interface NamedMigration {
  file: string
}
