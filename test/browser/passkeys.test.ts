import type { Page } from 'playwright-core'
import { closeBrowserAfterwards, inBrowser } from '../helpers/browser.js'
import { passwordOf } from '../helpers/with-service.js'

closeBrowserAfterwards()

/** A security key that is plugged in, and touched whenever it blinks. */
async function plugIn(page: Page) {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('WebAuthn.enable')
  const { authenticatorId } = await cdp.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'internal',
      hasResidentKey: true,
      hasUserVerification: true,
      isUserVerified: true,
      automaticPresenceSimulation: true,
    },
  })
  return {
    keys: async () => (await cdp.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
  }
}

inBrowser(
  'a passkey is added, logs in, steps up, and is removed',
  async (t, { service, page, logIn, assertAccessible }) => {
    service.stopClock()
    const { id } = await service.createUser('ada')
    await logIn('ada')
    const device = await plugIn(page)
    const section = page.locator('#second-factor')
    const add = async (name: string) => {
      await section.getByRole('button', { name: 'Add Passkey' }).click()
      await page.locator('#passkey-name').fill(name)
    }
    const submit = () =>
      page
        .locator('.card', { has: page.locator('#passkey-name') })
        .getByRole('button', { name: 'Add Passkey' })
    await add('Laptop')
    await assertAccessible('add a passkey')
    await page.locator('#factor-password').fill('wrong')
    await submit().click()
    await page.getByText('The current password is incorrect.').waitFor()
    await page.locator('#factor-password').fill(passwordOf('ada'))
    await submit().click()
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    const [recoveryCode = ''] = ((await page.locator('.copyable').textContent()) ?? '').split('\n')
    await page.getByRole('link', { name: 'I Have Kept Them' }).click()
    await section.getByText('Passkey “Laptop”').waitFor()
    await assertAccessible('profile')
    t.is((await device.keys()).length, 1)

    // The same device a second time.
    await add('Again')
    await submit().click()
    await page.getByText('among your passkeys already').waitFor()

    await page.goto('/profile')
    await page.getByRole('button', { name: 'Log Out' }).click()
    const typePassword = async () => {
      await page.goto('/login')
      await page.getByLabel('Username').fill('ada')
      await page.getByLabel('Password').fill(passwordOf('ada'))
      await page.getByRole('button', { name: 'Log In' }).click()
      await page.getByRole('heading', { name: 'Second factor' }).waitFor()
    }
    await typePassword()
    await assertAccessible('second step with a passkey')
    await page.getByRole('button', { name: 'Use a Passkey' }).click()
    await page.waitForURL('**/profile')

    service.advance(15 * 60)
    await page.getByLabel('New key-pair').fill('Backup')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('button', { name: 'Use a Passkey' }).click()
    await page.getByRole('heading', { name: 'Key-pair “Backup” created' }).waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()

    // Without the device, and without JavaScript, a recovery code lets in.
    await page.goto('/profile')
    await page.getByRole('button', { name: 'Log Out' }).click()
    await typePassword()
    await page.locator('#otp').fill(recoveryCode)
    await page.getByRole('button', { name: 'Log In' }).click()
    await page.waitForURL('**/profile')
    await section.getByRole('button', { name: 'Remove Laptop' }).click()
    await page.getByRole('button', { name: 'Remove', exact: true }).click()
    await page.getByText('The second factor was removed.').waitFor()
    t.deepEqual(await service.runtime.stores.secondFactors.find(id), {
      isRequired: false,
      hasTotp: false,
      passkeys: 0,
      recoveryCodes: 0,
    })
    await service.logIn('ada')
  },
  { host: 'localhost' },
)

inBrowser(
  'an answer of a passkey is good once, for whom and what it was asked for',
  async (t, { service, page, logIn }) => {
    await service.createUser('ada')
    await logIn('ada')
    await plugIn(page)
    await page.goto('/profile/second-factor/passkeys')
    await page.locator('#passkey-name').fill('Laptop')
    await page.locator('#factor-password').fill(passwordOf('ada'))
    await page.getByRole('button', { name: 'Add Passkey' }).click()
    await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
    const answer = () =>
      page.evaluate(async () => {
        const { call } = await import(
          [...document.querySelectorAll('link')].find(({ href }) => href.endsWith('api.js'))
            ?.href ?? ''
        )
        const library = '/assets/x/simplewebauthn-browser.js'
        await import(library)
        const optionsJSON = await call('POST', '/session/second-factor/challenge')
        const { startAuthentication } = (globalThis as any).SimpleWebAuthnBrowser
        return JSON.stringify(await startAuthentication({ optionsJSON }))
      })
    const cookie = (await page.context().cookies()).find(({ name }) => name === 'twinkey_session')
    const nonce = (await page.locator('body').getAttribute('data-nonce')) ?? ''
    const headers = { Cookie: `twinkey_session=${cookie?.value}`, 'X-WP-Nonce': nonce }
    const prove = async (passkey: string, from = headers) =>
      (await service.json('/session/second-factor', { headers: from, fields: { passkey } })).status

    const first = await answer()
    t.is(await prove(first), 200)
    t.is(await prove(first), 401, 'again')
    const raced = await answer()
    const results = await Promise.all([1, 2, 3, 4].map(() => prove(raced)))
    t.deepEqual(results.sort(), [200, 401, 401, 401])

    const late = await answer()
    service.advance(5 * 60)
    t.is(await prove(late), 401, 'after five minutes')

    const [, recoveryCode = ''] = ((await page.locator('.copyable').textContent()) ?? '').split(
      '\n',
    )
    const elsewhere = await service.json('/login', {
      json: { user_login: 'ada', password: passwordOf('ada'), otp: recoveryCode },
    })
    const other = {
      Cookie: elsewhere.headers.getSetCookie()[0]?.split(';')[0] ?? '',
      'X-WP-Nonce': elsewhere.body.nonce as string,
    }
    const here = await answer()
    t.is(await prove(here, other), 401, 'in another session')
    const spoiled = JSON.parse(await answer())
    spoiled.response.signature = spoiled.response.signature.replace(/..$/, 'AA')
    t.is(await prove(JSON.stringify(spoiled)), 401)
    for (const garbage of ['x', 'null', '{"id":"é","response":{}}']) {
      t.is(await prove(garbage), 401, garbage)
    }
  },
  { host: 'localhost' },
)
