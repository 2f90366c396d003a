import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import test from 'ava'
import { dialects } from './helpers/dialects.js'
import { sendPlain } from './helpers/raw-request.js'
import { createSecretWatch } from './helpers/secret-watch.js'
import { passwordOf, startService } from './helpers/with-service.js'

// Every test of the suite ends with a look for secrets in what the service has written. These hold
// that look itself to account.

const secret = `twk_${'Ab3'.repeat(15)}x`
const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.c2lnbmF0dXJlLXg'

test('what passes a service is known as a secret by its form or its place', async (t) => {
  const server = createServer((_request, response) => {
    response.setHeader('Set-Cookie', ['twinkey_session=cookie-of-the-answer; Path=/'])
    response.write('{"api_secret":')
    response.end(`"${secret}","access_token":"${token}"}`)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const watch = createSecretWatch(server)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  try {
    const basic = Buffer.from('id:secret-of-basic').toString('base64')
    await sendPlain(url, '/', {
      headers: { Authorization: `Basic ${basic}`, Cookie: 'a=b; c=cookie-of-the-request' },
    })
    await sendPlain(url, '/', { headers: { Authorization: 'Bearer bearer-of-the-request' } })
  } finally {
    server.close()
  }
  watch.addRequest({
    body: new URLSearchParams({ password: 'password-in-form', login: 'ada-the-user' }),
  })
  watch.addRequest({ body: '{"old_password": "password-in-json", "name": "name-of-something"}' })
  watch.add('added-by-hand')
  for (const known of [
    secret,
    token,
    'cookie-of-the-answer',
    'secret-of-basic',
    'cookie-of-the-request',
    'bearer-of-the-request',
    'password-in-form',
    'password-in-json',
    'added-by-hand',
  ]) {
    t.deepEqual(watch.foundIn(`{"msg":"see ${known}!"}`), [known.slice(0, 12)], known)
  }
  t.deepEqual(watch.foundIn('ada-the-user, name-of-something, a=b'), [])
})

for (const dialect of dialects) {
  const register = dialect.isAvailable ? test : test.skip
  register(
    `${dialect.name}: a secret in the database fails the test that put it there`,
    async (t) => {
      const service = await startService(dialect)
      const { id } = await service.createUser('ada')
      await service.runtime
        .db('users')
        .where({ id })
        .update({ display_name: passwordOf('ada') })
      await t.throwsAsync(service.close(), { message: /^Secrets in the rows: ada-pass-1…$/ })
    },
  )

  register(`${dialect.name}: a secret in the log fails the test that put it there`, async (t) => {
    const service = await startService(dialect)
    const { access_token } = await service.exchange(
      await service.mint((await service.createUser('ada')).id),
    )
    // What the service itself logs of a failure that it has no words for.
    service.runtime.services.users.list = async () => {
      throw new Error(`Something about ${access_token}`)
    }
    const { headers } = await service.logIn('ada')
    t.is((await service.json('/wp/v2/users', { headers })).status, 500)
    await t.throwsAsync(service.close(), { message: /^Secrets in the log: eyJ/ })
  })
}
