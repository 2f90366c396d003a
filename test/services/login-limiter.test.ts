import test from 'ava'
import { ServiceError } from '../../src/errors.js'
import { createLimiter, createMemoryCounts } from '../../src/services/limiter.js'
import { createLoginLimiter } from '../../src/services/login-limiter.js'

const wrong = () => Promise.reject(new ServiceError('incorrect_password'))
const right = () => Promise.resolve('in')
const isLocked = { instanceOf: ServiceError, code: 'rest_too_many_attempts' } as const

function loginLimiter() {
  let time = 1000
  const limiter = (name: string, quota: number) =>
    createLimiter({
      name,
      limit: { quota, window: 60 },
      message: 'Too many.',
      counts: createMemoryCounts(),
      now: () => time,
    })
  const { guard } = createLoginLimiter({
    accounts: limiter('login', 3),
    addresses: limiter('login-address', 5),
  })
  return {
    guard,
    wait(seconds: number) {
      time += seconds
    },
  }
}

test('a right password never counts', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 20; i++) t.is(await limiter.guard('ada', '192.0.2.1', right), 'in')
})

test('after the last wrong one the account is locked, also for the right password', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 3; i++) {
    await t.throwsAsync(limiter.guard('ada', `192.0.2.${i}`, wrong), { code: 'incorrect_password' })
  }
  limiter.wait(5)
  const error = await t.throwsAsync(limiter.guard('ada', '192.0.2.9', right), isLocked)
  t.is(error?.retryAfter, 55)
  t.is(error?.message, 'Too many. Try again in 55 seconds.')
  t.deepEqual(error?.rateLimit, { name: 'login', quota: 3, window: 60, remaining: 0, reset: 55 })
  t.is(await limiter.guard('grace', '192.0.2.9', right), 'in')
})

test('the last allowed guess may be right', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 2; i++) await t.throwsAsync(limiter.guard('ada', null, wrong))
  for (let i = 0; i < 5; i++) t.is(await limiter.guard('ada', null, right), 'in')
})

test('an address is locked for all accounts', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 5; i++) {
    await t.throwsAsync(limiter.guard(`user ${i}`, '192.0.2.1', wrong))
  }
  await t.throwsAsync(limiter.guard('ada', '192.0.2.1', right), isLocked)
  t.is(await limiter.guard('ada', '192.0.2.2', right), 'in')
})

test('a network of IPv6 is locked as one address, and IPv4 in it is IPv4', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 5; i++) {
    await t.throwsAsync(limiter.guard(`user ${i}`, `2001:db8:0:1:${i}::${i}`, wrong))
  }
  await t.throwsAsync(limiter.guard('ada', '2001:db8:0:1:ffff::1', right), isLocked)
  t.is(await limiter.guard('ada', '2001:db8:0:2::1', right), 'in')
  for (let i = 0; i < 5; i++) {
    await t.throwsAsync(limiter.guard(`user ${i}`, '::ffff:cb00:7107', wrong))
  }
  await t.throwsAsync(limiter.guard('ada', '203.0.113.7', right), isLocked)
})

test('a burst of guesses gets no more tries than the limit', async (t) => {
  const limiter = loginLimiter()
  let tries = 0
  const guess = async () => {
    tries++
    await new Promise((resolve) => setTimeout(resolve, 1))
    return wrong()
  }
  const guesses = Array.from({ length: 50 }, () => limiter.guard('ada', null, guess))
  const outcomes = await Promise.allSettled(guesses)
  t.is(tries, 3)
  t.true(outcomes.every((outcome) => outcome.status === 'rejected'))
})

test('a burst of right passwords is not refused', async (t) => {
  const limiter = loginLimiter()
  const outcomes = Array.from({ length: 50 }, () => limiter.guard('ada', '192.0.2.1', right))
  t.deepEqual(new Set(await Promise.all(outcomes)), new Set(['in']))
})

test('other failures are not wrong passwords', async (t) => {
  const limiter = loginLimiter()
  const fail = () => Promise.reject(new ServiceError('rest_service_unavailable'))
  for (let i = 0; i < 9; i++) await t.throwsAsync(limiter.guard('ada', '192.0.2.1', fail))
  t.is(await limiter.guard('ada', '192.0.2.1', right), 'in')
})

test('the count ends by itself', async (t) => {
  const limiter = loginLimiter()
  for (let i = 0; i < 3; i++) await t.throwsAsync(limiter.guard('ada', null, wrong))
  limiter.wait(60)
  t.is(await limiter.guard('ada', null, right), 'in')
})
