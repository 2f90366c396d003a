import { bearer, onEachDatabase, passwordOf, type Service } from '../helpers/with-service.js'

const path = '/wp-json/wp/v2/users/me/password'
const newPassword = 'Tr0ub4dor & 3 — ключ 👍'

async function createWorld(service: Service) {
  const user = await service.createUser('ada')
  const bob = await service.createUser('bob')
  const pairs = [await service.mint(user.id), await service.mint(user.id)]
  const bobs = { pair: await service.mint(bob.id), browser: await service.logIn('bob') }
  const [pair] = pairs as [(typeof pairs)[number]]
  const tokens = await service.exchange(pair)
  const browser = await service.logIn('ada')
  const other = await service.logIn('ada')
  return { user, pair, pairs, tokens, browser, other, bobs }
}

const sessionStatus = async (service: Service, cookie: string) =>
  (await service.json('/session', { headers: { Cookie: cookie } })).status

onEachDatabase(
  'changing the password revokes every key-pair and ends every session',
  async (t, service) => {
    const { user, pairs, tokens, browser, other, bobs } = await createWorld(service)
    const changed = await service.json(path, {
      headers: browser.headers,
      json: { old_password: passwordOf('ada'), new_password: newPassword },
    })
    t.is(changed.status, 200)
    const { nonce } = changed.body
    t.deepEqual(changed.body, { changed: true, revoked_key_pairs: 2, nonce })

    for (const pair of pairs) {
      const { body } = await service.json('/wp/v2/token', { fields: { ...pair } })
      t.is(body.code, 'rest_authentication_revoked_api_key')
    }
    for (const token of Object.values({ a: tokens.access_token, r: tokens.refresh_token })) {
      const { body } = await service.json('/wp/v2/token/validate', { headers: bearer(token) })
      t.is(body.code, 'rest_authentication_revoked_api_key')
    }
    const { refresh_token } = tokens
    t.is((await service.json('/wp/v2/token', { fields: { refresh_token } })).status, 403)
    t.is(await sessionStatus(service, browser.cookie), 401, 'the cookie that changed it, too')
    t.is(await sessionStatus(service, other.cookie), 401)

    const cookie = changed.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    t.not(cookie, browser.cookie)
    const fresh = { Cookie: cookie, 'X-WP-Nonce': nonce }
    t.is((await service.json('/wp/v2/users/me', { headers: fresh })).status, 200)
    const list = await service.json(`/wp/v2/key-pair/${user.id}`, { headers: fresh })
    t.deepEqual(list.body, [])

    await t.throwsAsync(service.logIn('ada', passwordOf('ada')), { message: /401/ })
    await t.notThrowsAsync(service.logIn('ada', newPassword))
    t.truthy(await service.exchange(bobs.pair), 'Bob is left alone')
    t.is(await sessionStatus(service, bobs.browser.cookie), 200)
    for (const secret of [newPassword, passwordOf('ada')]) t.false(service.log().includes(secret))
  },
)

onEachDatabase('a reset by the operator does the same', async (t, service) => {
  const { user, pair, tokens, browser } = await createWorld(service)
  await service.runtime.services.users.resetPassword(user.id, newPassword)
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  const { body } = await service.json('/wp/v2/users/me', { headers: bearer(tokens.access_token) })
  t.is(body.code, 'rest_authentication_revoked_api_key')
  t.is(await sessionStatus(service, browser.cookie), 401)
  await t.notThrowsAsync(service.logIn('ada', newPassword))
})

onEachDatabase(
  'nothing changes without the current password and a good new one',
  async (t, service) => {
    const { pair, browser, other } = await createWorld(service)
    const right = passwordOf('ada')
    const refused: [object, number, string][] = [
      [{ old_password: 'wrong', new_password: newPassword }, 403, 'rest_user_incorrect_password'],
      [{ old_password: '', new_password: newPassword }, 403, 'rest_user_incorrect_password'],
      [
        { old_password: `${right} `, new_password: newPassword },
        403,
        'rest_user_incorrect_password',
      ],
      [{ old_password: right }, 400, 'rest_missing_callback_param'],
      [{ new_password: newPassword }, 400, 'rest_missing_callback_param'],
      [{ old_password: right, new_password: null }, 400, 'rest_missing_callback_param'],
      [{ old_password: right, new_password: '1234567' }, 400, 'rest_invalid_param'],
      [{ old_password: right, new_password: '👍'.repeat(7) }, 400, 'rest_invalid_param'],
      [{ old_password: right, new_password: 'x'.repeat(1025) }, 400, 'rest_invalid_param'],
      [{ old_password: right, new_password: 'abc\0defgh' }, 400, 'rest_invalid_param'],
      [{ old_password: right, new_password: ['long enough'] }, 400, 'rest_invalid_param'],
      [{ old_password: { $ne: '' }, new_password: newPassword }, 400, 'rest_invalid_param'],
    ]
    for (const [json, status, code] of refused) {
      const answer = await service.json(path, { headers: browser.headers, json })
      t.is(answer.status, status, JSON.stringify(json))
      t.is(answer.body.code, code)
    }
    for (const headers of [
      {},
      { Cookie: browser.cookie },
      { ...browser.headers, ...bearer('x') },
    ]) {
      const answer = await service.json(path, {
        headers: headers as Record<string, string>,
        json: { old_password: right, new_password: newPassword },
      })
      t.is(answer.status, 401)
    }
    const mixed = await service.json(path, {
      headers: { Cookie: browser.cookie, 'X-WP-Nonce': other.nonce },
      json: { old_password: right, new_password: newPassword },
    })
    t.is(mixed.body.code, 'rest_cookie_invalid_nonce')
    t.truthy(await service.exchange(pair))
    t.is(await sessionStatus(service, browser.cookie), 200)
    await t.notThrowsAsync(service.logIn('ada'))
  },
)

onEachDatabase(
  'of two changes at once one wins, and the loser’s password is not set',
  async (t, service) => {
    const { browser, other } = await createWorld(service)
    const change = (headers: Record<string, string>, new_password: string) =>
      service.json(path, { headers, json: { old_password: passwordOf('ada'), new_password } })
    const answers = await Promise.all([
      change(browser.headers, 'first-password'),
      change(other.headers, 'second-password'),
    ])
    t.deepEqual(
      answers.map(({ status }) => status).filter((status) => status === 200),
      [200],
    )
    const winner = answers[0]?.status === 200 ? 'first-password' : 'second-password'
    const loser = answers[0]?.status === 200 ? 'second-password' : 'first-password'
    await t.notThrowsAsync(service.logIn('ada', winner))
    await t.throwsAsync(service.logIn('ada', loser))
  },
)
