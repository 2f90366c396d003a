import test from 'ava'
import type { AuditEvent } from '../../src/domain/audit.js'
import type { User } from '../../src/domain/user.js'
import { ServiceError } from '../../src/errors.js'
import { createAuditRecorder } from '../../src/services/audit/recorder.js'

const ada = { id: 7, login: 'ada' } as User

function setUp(write?: (events: readonly AuditEvent[]) => Promise<void>) {
  const written: AuditEvent[] = []
  const recorder = createAuditRecorder({
    trail: {
      async writeCollected(events) {
        await write?.(events)
        written.push(...events)
      },
    },
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    now: () => 1_700_000_000,
    intervalMs: 3_600_000,
  })
  const refuse = (apiKey: string, requestId: string) =>
    recorder.refused(
      new ServiceError('rest_authentication_revoked_api_key', { about: { userId: 7, apiKey } }),
      { ip: '203.0.113.7', requestId },
    )
  return { recorder, written, refuse }
}

const sum = (events: readonly AuditEvent[]) => events.reduce((total, { times }) => total + times, 0)

test('exchanges collected together are one entry for each pair and place', async (t) => {
  const { recorder, written } = setUp()
  for (let i = 0; i < 100; i++) {
    const ip = i % 2 === 0 ? '203.0.113.7' : '203.0.113.8'
    recorder.issued('token.exchanged', { user: ada, apiKey: '7abc' }, { ip })
  }
  await recorder.close()
  t.deepEqual(
    written.map(({ ip, times }) => [ip, times]),
    [
      ['203.0.113.7', 50],
      ['203.0.113.8', 50],
    ],
  )
})

test('a flood of refusals is counted, and not kept', async (t) => {
  const { recorder, written, refuse } = setUp()
  for (let i = 0; i < 100_000; i++) refuse(`7key${i % 3}`, `r-${i}`)
  await recorder.close()
  t.is(written.length, 503)
  t.is(sum(written), 100_000)
  t.is(written[499]?.requestId, 'r-499')
  // Of many, no one place or request is named.
  t.deepEqual([written[500]?.requestId, written[500]?.ip], [null, null])
})

test('what does not fit is dropped, and the log says how much', async (t) => {
  const { recorder, written, refuse } = setUp()
  for (let i = 0; i < 10_000; i++) refuse(`7key${i}`, `r-${i}`)
  await recorder.close()
  t.is(written.length, 2001)
  const dropped = written.filter(({ action }) => action === 'audit.dropped')
  t.deepEqual(
    dropped.map(({ times }) => times),
    [8000],
  )
  t.is(sum(written), 10_000)
})

test('while the database is away, what is collected waits', async (t) => {
  let isAway = true
  const { recorder, written, refuse } = setUp(async () => {
    if (isAway) throw new Error('away')
  })
  refuse('7abc', 'r-1')
  await recorder.flush()
  for (let i = 0; i < 10_000; i++) refuse(`7key${i}`, `r-${i}`)
  await recorder.flush()
  t.is(written.length, 0)
  isAway = false
  await recorder.close()
  t.is(sum(written), 10_001)
  t.true(written.length <= 2001)
  t.is(written.filter(({ requestId }) => requestId === 'r-1').length, 2)
})

test('only what has to do with permission is a refusal', async (t) => {
  const { recorder, written } = setUp()
  for (const code of ['rest_invalid_param', 'rest_no_route', 'rest_service_unavailable'] as const) {
    recorder.refused(new ServiceError(code), { ip: null })
  }
  recorder.refused(new ServiceError('rest_authentication_invalid_scope'), { ip: null }, ada)
  await recorder.close()
  t.deepEqual(
    written.map(({ reason, actor, userId }) => [reason, actor.name, userId]),
    [['rest_authentication_invalid_scope', 'ada', 7]],
  )
})
