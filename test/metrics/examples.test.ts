import { readFileSync } from 'node:fs'
import test from 'ava'
import { createHistogram } from '../../src/domain/histogram.js'
import { createSnapshots } from '../../src/metrics/snapshot.js'

const read = (path: string) =>
  readFileSync(new URL(`../../examples/${path}`, import.meta.url), 'utf8')

async function exportedNames(): Promise<Set<string>> {
  const histogram = createHistogram([1])
  const label = { surface: 'wp', route: 'token' } as const
  const takeSnapshot = createSnapshots({
    measures: () => ({
      stateReads: { keys: histogram, seconds: histogram, failures: 0, waiting: 0, age: 0 },
      signatureMemory: { entries: 0, bytes: 0, hits: 0, misses: 0 },
      usageBacklog: 0,
      failures: new Map(),
    }),
    requests: { seconds: () => [{ label, statusClass: '2xx', histogram }] },
    poolUse: () => ({ used: 0, free: 0, creating: 0, waiting: 0, max: 1 }),
    connections: async () => 0,
    version: '0',
  })
  const metrics = await takeSnapshot()
  return new Set(
    metrics.flatMap(({ name, values }) => [
      name,
      ...values.map(({ metricName }) => metricName ?? name),
    ]),
  )
}

test('the dashboard and the alerts ask for metrics that there are', async (t) => {
  const names = await exportedNames()
  const dashboard = JSON.parse(read('grafana/twinkey.json')) as {
    panels: { targets: { expr: string }[] }[]
  }
  const expressions = dashboard.panels.flatMap(({ targets }) => targets.map(({ expr }) => expr))
  const alerts = read('prometheus/twinkey-alerts.yml').match(/(?<=expr: ).*/g) ?? []
  t.true(expressions.length >= 15 && alerts.length >= 4)
  for (const expression of [...expressions, ...alerts]) {
    const asked = expression.match(/\b(?:twinkey|nodejs|process)_\w+/g) ?? []
    t.true(asked.length > 0, expression)
    for (const name of asked) t.true(names.has(name), name)
  }
})
