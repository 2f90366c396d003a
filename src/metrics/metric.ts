import type { Histogram } from '../domain/histogram.js'

type Labels = Record<string, string | number>

export interface MetricValue {
  value: number
  labels: Labels
  /** Where it is not the metric's own: `…_bucket`, `…_sum`, `…_count`. */
  metricName?: string
}

/** As prom-client's registries give their metrics to one another: plain, fit for another process. */
export interface Metric {
  name: string
  help: string
  type: 'counter' | 'gauge' | 'histogram'
  /** What becomes of the values of several processes. */
  aggregator: 'sum' | 'max' | 'first'
  values: MetricValue[]
}

export function counter(name: string, help: string, values: number | MetricValue[]): Metric {
  return { name, help, type: 'counter', aggregator: 'sum', values: listOf(values) }
}

export function gauge(
  name: string,
  help: string,
  values: number | MetricValue[],
  aggregator: Metric['aggregator'] = 'sum',
): Metric {
  return { name, help, type: 'gauge', aggregator, values: listOf(values) }
}

export function histogram(
  name: string,
  help: string,
  parts: readonly { labels: Labels; histogram: Histogram }[],
): Metric {
  const values = parts.flatMap((part) => valuesOf(name, part.labels, part.histogram))
  return { name, help, type: 'histogram', aggregator: 'sum', values }
}

function listOf(values: number | MetricValue[]): MetricValue[] {
  return typeof values === 'number' ? [{ value: values, labels: {} }] : values
}

/** Prometheus's buckets hold all that is at most as large as their bound. */
function valuesOf(name: string, labels: Labels, { bounds, counts, sum }: Histogram): MetricValue[] {
  let count = 0
  const buckets = Array.from(counts, (ownCount, bucket) => {
    count += ownCount
    const le = bounds[bucket] ?? '+Inf'
    return { metricName: `${name}_bucket`, labels: { ...labels, le }, value: count }
  })
  return [
    ...buckets,
    { metricName: `${name}_sum`, labels, value: sum },
    { metricName: `${name}_count`, labels, value: count },
  ]
}
