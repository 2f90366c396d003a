import type { Worker } from 'node:cluster'
import type { Server } from 'node:http'
import type { Config } from '../config.js'
import type { Logger } from '../logger.js'
import { gauge } from '../metrics/metric.js'
import { measureRequests } from '../metrics/requests.js'
import { createMetricsServer } from '../metrics/server.js'
import { createSnapshots, formatMetrics, type Snapshot } from '../metrics/snapshot.js'
import type { Runtime } from '../runtime.js'
import { poolUse } from '../store/pool-use.js'
import { listenOn } from './listen.js'
import { readVersion } from './version.js'

/** What one process counts about its server. */
export interface Metering {
  takeSnapshot(): Promise<Snapshot>
  close(): void
}

/** Begins to count. */
export function meter(server: Server, { services, db }: Runtime): Metering {
  const requests = measureRequests(server)
  const takeSnapshot = createSnapshots({
    measures: services.measures,
    requests,
    poolUse: () => poolUse(db),
    connections: () =>
      new Promise((resolve, reject) => {
        server.getConnections((error, count) => (error ? reject(error) : resolve(count)))
      }),
    version: readVersion(),
  })
  return { takeSnapshot, close: requests.close }
}

/**
 * Serves `/metrics` on a port of its own.
 *
 * @param collect What each process of the service has counted.
 * @returns What ends it.
 * @throws {ListenError}
 */
export async function serveMetrics(
  { host, port, token }: NonNullable<Config['metrics']>,
  logger: Logger,
  collect: () => Promise<Snapshot[]>,
): Promise<() => void> {
  const server = createMetricsServer({
    token,
    logger,
    read: async () => formatMetrics(await collect()),
  })
  const names = { host: 'METRICS_HOST', port: 'METRICS_PORT' }
  const address = await listenOn(server, { host, port }, names)
  logger.info({ host: address.address, port: address.port }, 'serving metrics')
  return () => {
    server.close()
    server.closeAllConnections()
  }
}

/** A worker that has not answered by then is stuck, and missing from the sum. */
const longestAnswerMs = 2000

interface Question {
  askMetrics: number
}

interface Answer {
  metricsFor: number
  snapshot: Snapshot
}

/** In a worker: answers its parent's questions. */
export function answerParent({ takeSnapshot }: Metering, logger: Logger): void {
  process.on('message', (message: Partial<Question>) => {
    const { askMetrics } = message
    if (askMetrics === undefined) return
    takeSnapshot().then(
      (snapshot) => process.send?.({ metricsFor: askMetrics, snapshot } satisfies Answer),
      (err: unknown) => logger.error({ err }, 'metrics could not be read'),
    )
  })
}

let questions = 0

/** In the parent: what all workers have counted, and how many of them answered. */
export async function askWorkers(workers: ReadonlySet<Worker>): Promise<Snapshot[]> {
  const id = ++questions
  const answers = await Promise.all([...workers].map((worker) => ask(worker, id)))
  const snapshots = answers.filter((snapshot) => snapshot !== undefined)
  const help = 'Worker processes whose numbers are in these.'
  return [...snapshots, [gauge('twinkey_workers', help, snapshots.length)]]
}

function ask(worker: Worker, id: number): Promise<Snapshot | undefined> {
  return new Promise((resolve) => {
    const end = (snapshot: Snapshot | undefined) => {
      clearTimeout(timer)
      worker.off('message', onMessage)
      resolve(snapshot)
    }
    const onMessage = ({ metricsFor, snapshot }: Partial<Answer>) => {
      if (metricsFor === id) end(snapshot)
    }
    const timer = setTimeout(() => end(undefined), longestAnswerMs)
    worker.on('message', onMessage)
    // One that is ending has no channel any more, and then is not counted.
    worker.send({ askMetrics: id } satisfies Question, (error) => error && end(undefined))
  })
}
