import test from 'ava'
import { ServiceError } from '../../src/errors.js'
import { createLoginLimiter } from '../../src/services/login-limiter.js'

const wrong = () => Promise.reject(new ServiceError('incorrect_password'))
const right = () => Promise.resolve('in')
const limits = { perAccount: 3, perAddress: 5, window: 60 }
const isLocked = { instanceOf: ServiceError, code: 'rest_too_many_attempts' } as const

test('a right password never counts', async (t) => {
  const limiter = createLoginLimiter(limits)
  for (let i = 0; i < 20; i++) t.is(await limiter.guard('ada', '192.0.2.1', right), 'in')
})

test('after the last wrong one the account is locked, also for the right password', async (t) => {
  const limiter = createLoginLimiter(limits)
  for (let i = 0; i < 3; i++) {
    await t.throwsAsync(limiter.guard('ada', `192.0.2.${i}`, wrong), { code: 'incorrect_password' })
  }
  const error = await t.throwsAsync(limiter.guard('ada', '192.0.2.9', right), isLocked)
  t.true((error?.retryAfter ?? 0) > 55 && (error?.retryAfter ?? 0) <= 60)
  t.is(await limiter.guard('grace', '192.0.2.9', right), 'in')
})

test('an address is locked for all accounts', async (t) => {
  const limiter = createLoginLimiter(limits)
  for (let i = 0; i < 5; i++) {
    await t.throwsAsync(limiter.guard(`user ${i}`, '192.0.2.1', wrong))
  }
  await t.throwsAsync(limiter.guard('ada', '192.0.2.1', right), isLocked)
  t.is(await limiter.guard('ada', '192.0.2.2', right), 'in')
})

test('a burst of guesses gets no more tries than the limit', async (t) => {
  const limiter = createLoginLimiter(limits)
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

test('other failures are not wrong passwords', async (t) => {
  const limiter = createLoginLimiter(limits)
  const fail = () => Promise.reject(new ServiceError('rest_service_unavailable'))
  for (let i = 0; i < 9; i++) await t.throwsAsync(limiter.guard('ada', '192.0.2.1', fail))
  t.is(await limiter.guard('ada', '192.0.2.1', right), 'in')
})

test('the lock ends by itself', async (t) => {
  const limiter = createLoginLimiter({ ...limits, window: 1 })
  for (let i = 0; i < 3; i++) await t.throwsAsync(limiter.guard('ada', null, wrong))
  await t.throwsAsync(limiter.guard('ada', null, right), isLocked)
  await new Promise((resolve) => setTimeout(resolve, 1100))
  t.is(await limiter.guard('ada', null, right), 'in')
})
