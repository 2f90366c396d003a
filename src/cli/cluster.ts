import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import type { Config } from '../config.js'
import type { Logger } from '../logger.js'
import { createRuntime } from '../runtime.js'
import { readExtensionsFile } from './context.js'
import { ListenError } from './listen.js'
import { mayMigrate, startServer, welcome } from './serve.js'

/** Anything that can be told to stop when it has answered what is under way. */
export interface Stoppable {
  stop(): Promise<void>
}

/** What a worker tells its parent, once. */
type WorkerMessage = { address: AddressInfo } | { problem: string }

/** Between the end of a worker and the start of the next: a crash at start must not spin. */
const restartDelayMs = 1000

/**
 * Serves with several processes that share one port (node:cluster). They share nothing else: every
 * one reads the state of keys from the database, so a revocation answered by one is seen by all.
 *
 * @throws {ListenError} if a worker cannot listen.
 */
export async function serveWithWorkers(
  config: Config,
  logger: Logger,
  count: number,
): Promise<Stoppable> {
  return cluster.isPrimary ? servePrimary(config, logger, count) : serveWorker(config, logger)
}

async function servePrimary(config: Config, logger: Logger, count: number): Promise<Stoppable> {
  // Before the workers, so that they find the schema and the secret and need not agree on them.
  const runtime = await createRuntime(config, {
    ...(await readExtensionsFile()),
    logger,
    migrate: mayMigrate(config),
  })
  const workers = new Set<Worker>()
  let isStopping = false

  async function startWorker(): Promise<AddressInfo> {
    const worker = cluster.fork()
    workers.add(worker)
    worker.once('exit', (code, signal) => void replace(worker, code, signal))
    const [message] = (await Promise.race([
      once(worker, 'message'),
      once(worker, 'exit').then(() => {
        throw new Error('A worker ended before it could listen')
      }),
    ])) as [WorkerMessage]
    if ('problem' in message) throw new ListenError(message.problem)
    return message.address
  }

  async function replace(worker: Worker, code: number, signal: string): Promise<void> {
    workers.delete(worker)
    if (isStopping) return
    logger.error({ pid: worker.process.pid, code, signal }, 'a worker ended; starting another')
    await delay(restartDelayMs)
    if (isStopping) return
    startWorker().catch((err: unknown) => logger.error({ err }, 'a worker could not be started'))
  }

  let stopMetrics: (() => void) | undefined

  async function stop(): Promise<void> {
    isStopping = true
    stopMetrics?.()
    await Promise.all(
      [...workers].map(async (worker) => {
        const ended = once(worker, 'exit')
        worker.process.kill('SIGTERM')
        await ended
      }),
    )
    await runtime.close()
  }

  try {
    const addresses = await Promise.all(Array.from({ length: count }, startWorker))
    if (config.metrics) {
      const { askWorkers, serveMetrics } = await import('./metrics.js')
      stopMetrics = await serveMetrics(config.metrics, logger, () => askWorkers(workers))
    }
    await welcome(config, addresses[0] as AddressInfo, runtime)
    return { stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function serveWorker(config: Config, logger: Logger): Promise<Stoppable> {
  const tell = (message: WorkerMessage) => process.send?.(message)
  try {
    const running = await startServer(config, logger, { migrate: false, isShared: true })
    // Nobody would stop us any more.
    process.once('disconnect', () => void running.stop().then(() => process.exit(0)))
    if (running.metering) (await import('./metrics.js')).answerParent(running.metering, logger)
    tell({ address: running.address })
    return running
  } catch (error) {
    if (!(error instanceof ListenError)) throw error
    tell({ problem: error.message })
    // The parent says it to the person who started us, and stops us.
    return { stop: async () => {} }
  }
}
