import { AggregatorRegistry, collectDefaultMetrics, Registry } from 'prom-client'
import { type ErrorCode, errorCatalogue } from '../errors.js'
import type { Measures } from '../services/measures.js'
import type { PoolUse } from '../store/pool-use.js'
import { counter, gauge, histogram, type Metric } from './metric.js'
import type { RequestMeasures } from './requests.js'

export interface MetricsSource {
  measures(): Measures
  requests: Pick<RequestMeasures, 'seconds'>
  poolUse(): PoolUse
  /** Connections of clients that are open now. */
  connections(): Promise<number>
  version: string
}

/** All metrics of one process, fit to be sent to another. */
export type Snapshot = Metric[]

/** Reads what has been counted, when somebody asks; until then it costs nothing. */
export function createSnapshots(source: MetricsSource): () => Promise<Snapshot> {
  const registry = new Registry()
  // Memory, CPU, file descriptors, garbage collection and the lag of the event loop.
  collectDefaultMetrics({ register: registry })
  return async function takeSnapshot() {
    const ofProcess = (await registry.getMetricsAsJSON()) as unknown as Metric[]
    return [...(await ownMetrics(source)), ...ofProcess]
  }
}

async function ownMetrics(source: MetricsSource): Promise<Metric[]> {
  const { stateReads, signatureMemory, usageBacklog, failures } = source.measures()
  const pool = source.poolUse()
  const codes = Object.keys(errorCatalogue) as ErrorCode[]
  return [
    gauge(
      'twinkey_build_info',
      'Always 1; the versions are in the labels.',
      [{ value: 1, labels: { version: source.version, node: process.version } }],
      'first',
    ),
    histogram(
      'twinkey_http_request_duration_seconds',
      'From the headers of a request to the last byte of its answer.',
      source.requests.seconds().map(({ label, statusClass, histogram }) => ({
        labels: { ...label, status: statusClass },
        histogram,
      })),
    ),
    gauge('twinkey_http_connections', 'Open connections of clients.', await source.connections()),
    counter(
      'twinkey_refusals_total',
      'Requests that were refused or failed, by reason.',
      codes.map((code) => ({
        labels: { code, status: String(errorCatalogue[code].status) },
        value: failures.get(code) ?? 0,
      })),
    ),
    histogram('twinkey_state_read_keys', 'Keys that one read of the database asked for.', [
      { labels: {}, histogram: stateReads.keys },
    ]),
    histogram(
      'twinkey_state_read_duration_seconds',
      'Duration of such a read: no state that decided about a request was older.',
      [{ labels: {}, histogram: stateReads.seconds }],
    ),
    counter('twinkey_state_read_failures_total', 'Such reads that failed.', stateReads.failures),
    gauge('twinkey_state_reads_waiting', 'Keys that wait for the next read.', stateReads.waiting),
    gauge(
      'twinkey_state_read_age_seconds',
      'Since the last such read that succeeded; -1 if there was none.',
      stateReads.age ?? -1,
      'max',
    ),
    gauge(
      'twinkey_signature_memory_entries',
      'Tokens whose signature is remembered.',
      signatureMemory.entries,
    ),
    gauge('twinkey_signature_memory_bytes', 'What they take, about.', signatureMemory.bytes),
    counter(
      'twinkey_signature_memory_lookups_total',
      'Tokens that were looked up there, by whether they were found.',
      [
        { labels: { result: 'hit' }, value: signatureMemory.hits },
        { labels: { result: 'miss' }, value: signatureMemory.misses },
      ],
    ),
    gauge(
      'twinkey_usage_backlog',
      'Uses of key-pairs that are not yet written to the database.',
      usageBacklog,
    ),
    gauge('twinkey_database_connections', 'Connections to the database, by state.', [
      { labels: { state: 'used' }, value: pool.used },
      { labels: { state: 'free' }, value: pool.free },
      { labels: { state: 'creating' }, value: pool.creating },
    ]),
    gauge('twinkey_database_connections_max', 'Most connections there may be.', pool.max),
    gauge('twinkey_database_waiting', 'Statements that wait for a connection.', pool.waiting),
  ]
}

/** In the text format of Prometheus; counters of several processes are added up. */
export function formatMetrics(snapshots: readonly Snapshot[]): Promise<string> {
  const [only] = snapshots
  // Some metrics of a process, such as when it started, mean nothing for several.
  const list =
    snapshots.length === 1 && only
      ? [only.map((metric) => ({ ...metric, aggregator: 'first' }))]
      : snapshots
  return AggregatorRegistry.aggregate([...list]).metrics()
}

export const metricsType = Registry.PROMETHEUS_CONTENT_TYPE
