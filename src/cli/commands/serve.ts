import { constants } from 'node:os'
import { Command, InvalidArgumentError } from 'commander'
import { readConfig } from '../context.js'
import { exitCodes } from '../failures.js'

export function serveCommand(): Command {
  return new Command('serve')
    .summary('start the service')
    .description('Starts the service: exchanges key-pairs for tokens and checks tokens, over HTTP.')
    .option('--workers <count>', 'processes that share the port', readCount, 1)
    .addHelpText('after', help)
    .action(run)
}

const help = `
The first start on an empty embedded database creates the user "admin" and prints its
password, this once. SIGTERM or SIGINT (Ctrl-C) stops it when it has answered what is under
way; a second one stops it at once. Logs are JSON lines on standard error.

Examples:
  $ twinkey serve
  $ twinkey serve --workers 4
  $ PORT=9000 DATABASE_URL=mysql://twinkey:…@db.example/twinkey twinkey serve

Configuration, from the environment or a .env file; an empty variable counts as unset:
  HOST, PORT          where to listen (127.0.0.1, 8080)
  PUBLIC_URL          how clients reach it; the issuer of its tokens (http://localhost:PORT)
  DATA_DIR            directory of the embedded database and the signing secret (./data)
  DATABASE_URL        sqlite:PATH or mysql://USER:PASSWORD@HOST:PORT/NAME (SQLite in DATA_DIR)
  MIGRATE_ON_START    bring the schema of a shared database up to date first (false)
  JWT_SECRET          signs tokens; or JWT_SECRET_FILE (a random one, kept in DATA_DIR)
  KEY_ENCRYPTION_KEY  encrypts private signing keys; or KEY_ENCRYPTION_KEY_FILE (like JWT_SECRET)
  ACCESS_TOKEN_TTL    lifetime of access tokens in seconds (604800)
  REFRESH_TOKEN_TTL   lifetime of refresh tokens in seconds (31536000)
  TOKEN_AUDIENCES     who may be meant by an OAuth token, separated by commas (PUBLIC_URL)
  AUDIT_RETENTION     days for which the audit log is kept, 0 for ever (400)
  TRUST_PROXY         how many proxies in front set X-Forwarded-For (off)
  RATE_LIMIT_LOGIN    wrong passwords for one login (10/15m; 0: any); more in docs/configuration.md
  CORS_ORIGINS        origins whose pages may call it, separated by commas, or * (none)
  SECURITY_CONTACT    where to report a vulnerability, e.g. mailto:security@example.com (none)
  TWINKEY_CONFIG      a file with hooks and actions (twinkey.config.ts, .mjs or .js)
  METRICS_PORT        where Prometheus finds /metrics (none); with METRICS_HOST, METRICS_TOKEN
  LOG_LEVEL           fatal, error, warn, info, debug, trace or silent (info)`

// One Ctrl-C can arrive twice: from the terminal, and again from the npm that runs us.
const sameKeystrokeMs = 500

function readCount(text: string): number {
  const count = Number(text)
  if (Number.isInteger(count) && count >= 1 && count <= 128) return count
  throw new InvalidArgumentError('It must be an integer from 1 to 128.')
}

async function run({ workers }: { workers: number }): Promise<void> {
  const config = await readConfig('info')
  const [{ serve }, { serveWithWorkers }, { createLogger }] = await Promise.all([
    import('../serve.js'),
    import('../cluster.js'),
    import('../logger.js'),
  ])
  const logger = createLogger(config.logLevel)
  const running =
    workers > 1 ? await serveWithWorkers(config, logger, workers) : await serve(config, logger)

  let stoppingSince: number | undefined
  const stop = async (signal: NodeJS.Signals): Promise<void> => {
    if (stoppingSince !== undefined) {
      if (Date.now() - stoppingSince > sameKeystrokeMs)
        process.exit(128 + constants.signals[signal])
      return
    }
    stoppingSince = Date.now()
    logger.info({ signal }, 'stopping: answering what is under way')
    try {
      await running.stop()
      logger.info({}, 'stopped')
      process.exit(exitCodes.ok)
    } catch (err) {
      logger.error({ err }, 'could not stop cleanly')
      process.exit(exitCodes.failed)
    }
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal))
}
