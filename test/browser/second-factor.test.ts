import type { Page } from 'playwright-core'
import { closeBrowserAfterwards, inBrowser, mint, rows } from '../helpers/browser.js'
import { type AuthenticatorApp, appOf, setUpApp } from '../helpers/second-factors.js'
import { passwordOf, type Service } from '../helpers/with-service.js'

closeBrowserAfterwards()

const section = (page: Page) => page.locator('#second-factor')

/** Types the password and stops before the second factor. */
async function typePassword(page: Page, login: string): Promise<void> {
  await page.goto('/login')
  await page.getByLabel('Username').fill(login)
  await page.getByLabel('Password').fill(passwordOf(login))
  await page.getByRole('button', { name: 'Log In' }).click()
  await page.getByRole('heading', { name: 'Second factor' }).waitFor()
}

async function typeCode(page: Page, code: string, button = 'Log In'): Promise<void> {
  await page.locator('#otp').fill(code)
  await page.getByRole('button', { name: button, exact: true }).click()
}

/** Sets up an app from the profile. */
async function scan(page: Page, service: Service): Promise<AuthenticatorApp> {
  await section(page).getByRole('button', { name: 'Set Up Authenticator App' }).click()
  await page.getByLabel('Current password').last().waitFor()
  await page.locator('#factor-password').fill('wrong')
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByText('The current password is incorrect.').waitFor()
  await page.locator('#factor-password').fill(passwordOf('ada'))
  await page.getByRole('button', { name: 'Continue' }).click()
  await page.getByRole('img', { name: 'QR code' }).waitFor()
  const secret = (await page.locator('.copyable').textContent()) ?? ''
  return appOf(service, secret.replaceAll(' ', ''))
}

async function readCodes(page: Page): Promise<string[]> {
  await page.getByRole('heading', { name: 'Your recovery codes' }).waitFor()
  return ((await page.locator('.copyable').textContent()) ?? '').split('\n')
}

const steps = async (
  t: Parameters<Parameters<typeof inBrowser>[1]>[0],
  { service, page, logIn, assertAccessible }: Parameters<Parameters<typeof inBrowser>[1]>[1],
) => {
  service.stopClock()
  await service.createUser('ada')
  await logIn('ada')
  await section(page).getByText('Off', { exact: true }).waitFor()
  const app = await scan(page, service)
  await assertAccessible('QR code')
  await page.getByLabel('Code that the app shows now').fill(app.wrong())
  await page.getByRole('button', { name: 'Turn On' }).click()
  await page.getByText('is wrong, was used before').waitFor()
  t.is((await page.locator('.copyable').textContent())?.replaceAll(' ', ''), app.secret)
  await page.getByLabel('Code that the app shows now').fill(app.next())
  await page.getByRole('button', { name: 'Turn On' }).click()
  const [recoveryCode = '', ...others] = await readCodes(page)
  t.is(others.length, 9)
  await assertAccessible('recovery codes')
  await page.getByRole('link', { name: 'I Have Kept Them' }).click()
  await section(page).getByText('10 left').waitFor()
  await assertAccessible('profile')
  t.false((await page.content()).includes(recoveryCode))

  await page.getByRole('button', { name: 'Log Out' }).click()
  await typePassword(page, 'ada')
  await assertAccessible('second step')
  await page.goto('/profile')
  await page.getByLabel('Username').waitFor()
  await typePassword(page, 'ada')
  await typeCode(page, app.wrong())
  await page.getByText('is wrong, was used before').waitFor()
  await assertAccessible('wrong code')
  await typeCode(page, app.next())
  await page.waitForURL('**/profile')

  await page.getByRole('button', { name: 'Log Out' }).click()
  await typePassword(page, 'ada')
  await typeCode(page, recoveryCode)
  await page.waitForURL('**/profile')
  await section(page).getByText('9 left').waitFor()

  service.advance(16 * 60)
  await section(page).getByRole('button', { name: 'New Codes' }).click()
  await typeCode(page, app.next(), 'Confirm')
  await page.getByRole('button', { name: 'Make New Codes' }).click()
  t.false((await readCodes(page)).includes(recoveryCode))
  await page.getByRole('link', { name: 'I Have Kept Them' }).click()

  service.advance(16 * 60)
  await section(page).getByRole('button', { name: 'Turn Off' }).click()
  await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
  await assertAccessible('confirm')
  await typeCode(page, app.next(), 'Confirm')
  await page.getByRole('button', { name: 'Remove', exact: true }).click()
  await page.getByText('The second factor was removed.').waitFor()
  await section(page).getByText('Off', { exact: true }).waitFor()
}

inBrowser('an authenticator app is set up, asked for, and turned off', steps)

inBrowser(
  'without JavaScript an authenticator app works the same way',
  // axe-core is a script itself.
  (t, visit) => steps(t, { ...visit, assertAccessible: async () => {} }),
  { javaScriptEnabled: false },
)

inBrowser(
  'minting and revoking all ask for the second factor, and then go on',
  async (t, visit) => {
    const { service, page, assertAccessible } = visit
    const { id } = await service.createUser('ada')
    const app = await setUpApp(service, await service.logIn('ada'))
    await typePassword(page, 'ada')
    await typeCode(page, app.next())
    await page.waitForURL('**/profile')
    const { key } = await mint(page, 'At once')
    t.true(key.startsWith(String(id)))
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.keyboard.press('Escape')

    service.advance(15 * 60)
    await page.getByLabel('New key-pair').fill('Later')
    await page.getByRole('button', { name: 'Add New' }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    await assertAccessible('confirm in a dialog')
    await typeCode(page, app.wrong(), 'Confirm')
    await dialog.getByText('is wrong, was used before').waitFor()
    await typeCode(page, app.next(), 'Confirm')
    await dialog.getByRole('heading', { name: 'Key-pair “Later” created' }).waitFor()
    await dialog.getByRole('button', { name: 'Dismiss' }).click()
    t.is(await rows(page).count(), 2)

    // The question was on the screen when the proof grew old.
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await dialog.getByRole('heading', { name: 'Revoke all' }).waitFor()
    service.advance(15 * 60)
    await dialog.getByRole('button', { name: 'Revoke All' }).click()
    await typeCode(page, app.next(), 'Confirm')
    await page.getByText('No active key-pairs.').waitFor()

    // It was old before the question.
    await service.mint(id, 'Third')
    await page.reload()
    service.advance(15 * 60)
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await typeCode(page, app.next(), 'Confirm')
    await dialog.getByRole('button', { name: 'Revoke All' }).click()
    await page.getByText('No active key-pairs.').waitFor()
    t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
  },
)

inBrowser(
  'without JavaScript minting asks for the second factor on a page',
  async (t, { service, page }) => {
    const { id } = await service.createUser('ada')
    const app = await setUpApp(service, await service.logIn('ada'))
    await typePassword(page, 'ada')
    await typeCode(page, app.next())
    service.advance(15 * 60)
    const add = async () => {
      await page.getByLabel('New key-pair').fill('Backup')
      await page.getByRole('button', { name: 'Add New' }).click()
    }
    await add()
    await page.getByRole('heading', { name: 'Confirm that it is you' }).waitFor()
    await typeCode(page, app.next(), 'Confirm')
    await page.getByText('Confirmed.').waitFor()
    await add()
    await page.getByText('The secret is shown this once.').waitFor()
    await page.goto('/profile')
    service.advance(15 * 60)
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await typeCode(page, app.next(), 'Confirm')
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await page.getByText('All key-pairs were revoked.').waitFor()
    t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
  },
  { javaScriptEnabled: false },
)

inBrowser(
  'an administrator requires a second factor, and resets a lost one',
  async (t, { service, page, logIn, assertAccessible }) => {
    await service.createUser('root', 'administrator')
    const ada = await service.createUser('ada')
    await setUpApp(service, await service.logIn('ada'))
    await logIn('root')
    await page.goto(`/users/${ada.id}/profile`)
    const open = () => page.getByRole('button', { name: 'Second Factor' }).click()
    await open()
    await page.getByRole('heading', { name: 'Second factor of ada' }).waitFor()
    await assertAccessible('second factor of another')
    await page.getByRole('button', { name: 'Require for Minting' }).click()
    await page.getByText('now needs a second factor').waitFor()
    await open()
    await page.getByRole('button', { name: 'Reset', exact: true }).click()
    await page.getByText('The second factor was taken away').waitFor()
    t.deepEqual(await service.runtime.stores.secondFactors.find(ada.id), {
      isRequired: true,
      hasTotp: false,
      passkeys: 0,
      recoveryCodes: 0,
    })
    await open()
    await page.getByRole('button', { name: 'Require No More' }).click()
    await page.getByText('is not asked to have a second factor').waitFor()
  },
)
