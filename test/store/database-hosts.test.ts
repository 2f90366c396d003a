import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { createDatabaseHosts } from '../../src/store/database-hosts.js'

const first = { host: 'first', port: 1 }
const second = { host: 'second', port: 2 }
const third = { host: 'third', port: 3 }

function setUp(trustAfterMs = 40) {
  const ill = new Set<object>()
  const changes: string[] = []
  const hosts = createDatabaseHosts({
    hosts: [first, second, third],
    probe: async (host) => !ill.has(host),
    onChange: (from, to) => void changes.push(`${from.host} → ${to.host}`),
    probeIntervalMs: 5,
    trustAfterMs,
  })
  return { hosts, ill, changes }
}

async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await delay(2)
}

test('the first is preferred, and left only when it fails', async (t) => {
  const { hosts, changes } = setUp()
  t.is(hosts.current(), first)
  await delay(50)
  t.is(hosts.current(), first)
  hosts.failed(second)
  t.is(hosts.current(), first)
  t.deepEqual(changes, [])
  hosts.close()
})

test('the next that is well takes over at once', (t) => {
  const { hosts } = setUp()
  hosts.failed(second)
  hosts.failed(first)
  t.is(hosts.current(), third)
  hosts.close()
})

test('with none that is well, each gets its turn', (t) => {
  const { hosts } = setUp()
  for (const host of [first, second, third]) {
    t.is(hosts.current(), host)
    hosts.failed(host)
  }
  t.is(hosts.current(), first)
  hosts.close()
})

test('a probe finds out what no request has met', async (t) => {
  const { hosts, ill } = setUp()
  ill.add(first)
  await until(() => hosts.current() === second)
  t.pass()
  hosts.close()
})

test('it goes back to an earlier one when that has been well for a while', async (t) => {
  const { hosts, ill, changes } = setUp()
  ill.add(first)
  await until(() => hosts.current() === second)
  ill.delete(first)
  const began = performance.now()
  await until(() => hosts.current() === first)
  t.true(performance.now() - began >= 40)
  t.deepEqual(changes, ['first → second', 'second → first'])
  hosts.close()
})

test('one that comes and goes is trusted later each time', async (t) => {
  const { hosts, ill, changes } = setUp(30)
  const waits: number[] = []
  for (let i = 0; i < 3; i++) {
    ill.add(first)
    await until(() => hosts.current() === second)
    ill.delete(first)
    const began = performance.now()
    await until(() => hosts.current() === first)
    waits.push(performance.now() - began)
  }
  t.true((waits[2] ?? 0) >= 240, String(waits))
  t.is(changes.length, 6)
  hosts.close()
})

test('alone, a host is never given up', async (t) => {
  const hosts = createDatabaseHosts({
    hosts: [first],
    probe: () => Promise.reject(new Error('Nobody asks')),
    onChange: () => t.fail(),
    probeIntervalMs: 1,
  })
  hosts.failed(first)
  await delay(20)
  t.is(hosts.current(), first)
  hosts.close()
})
