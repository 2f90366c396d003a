import { closeBrowserAfterwards, focused, inBrowser, mint, rows } from '../helpers/browser.js'
import { bearer, passwordOf } from '../helpers/with-service.js'

closeBrowserAfterwards()

inBrowser('a change of password kills key-pairs, tokens and other sessions', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const other = await service.logIn('ada')
  const { access_token } = await service.exchange(await service.mint(id))
  await service.mint(id, 'Second')
  await logIn('ada')
  await page.getByText('revokes all of your 2 key-pairs').waitFor()
  const change = async (old: string, next: string, repeated = next) => {
    await page.getByLabel('Current password').fill(old)
    await page.getByLabel('New password', { exact: true }).fill(next)
    await page.getByLabel('Repeat new password').fill(repeated)
    await page.getByRole('button', { name: 'Change Password' }).click()
  }
  await change('wrong', 'a-new-password')
  await page.getByText('The current password is incorrect.').waitFor()
  await assertAccessible('wrong password')
  await change(passwordOf('ada'), 'a-new-password', 'another')
  await page.getByText('The new password and its repetition differ.').waitFor()
  await change(passwordOf('ada'), 'short')
  await page.getByText('The new password must have at least 8 characters.').waitFor()
  t.is(await rows(page).count(), 2)

  await change(passwordOf('ada'), 'a-new-password')
  await page.getByText('Your password was changed.').waitFor()
  await page.getByText('No active key-pairs.').waitFor()
  t.false(page.url().includes('notice'))
  const { status, body } = await service.json('/wp/v2/token/validate', {
    headers: bearer(access_token),
  })
  t.is(status, 403)
  t.is(body.code, 'rest_authentication_revoked_api_key')
  t.is((await service.json('/session', { headers: other.headers })).status, 401)
  await service.logIn('ada', 'a-new-password')
})

inBrowser('sessions are listed and can be signed out', async (t, visit) => {
  const { service, page, logIn } = visit
  await service.createUser('ada')
  const others = [
    await service.logIn('ada'),
    await service.logIn('ada'),
    await service.logIn('ada'),
  ]
  const isAlive = async (index: number) => {
    const { status } = await service.json('/session', { headers: others[index]?.headers ?? {} })
    return status === 200
  }
  await logIn('ada')
  const sessions = page.locator('#sessions li')
  t.is(await sessions.count(), 4)
  t.is(await sessions.getByText('This browser').count(), 1)
  await sessions.getByRole('button', { name: 'Sign Out' }).first().click()
  await page.getByText('The browser was signed out.').waitFor()
  t.is(await sessions.count(), 3)
  t.is([await isAlive(0), await isAlive(1), await isAlive(2)].filter(Boolean).length, 2)
  await page.getByRole('button', { name: 'Sign Out All Others' }).click()
  await page.getByText('All other browsers were signed out.').waitFor()
  t.is(await sessions.count(), 1)
  t.deepEqual([await isAlive(0), await isAlive(1), await isAlive(2)], [false, false, false])
})

inBrowser(
  'a session that ends in mid-action is said, and the way back is short',
  async (t, visit) => {
    const { service, page, logIn, assertAccessible } = visit
    const { id } = await service.createUser('ada')
    await service.mint(id, 'Kept')
    await logIn('ada')
    await page.getByRole('button', { name: 'Revoke', exact: true }).click()
    const dialog = page.getByRole('dialog')
    await dialog.getByRole('heading', { name: 'Revoke “Kept”?' }).waitFor()
    service.advance(15 * 86_400)
    await dialog.getByRole('button', { name: 'Revoke' }).click()
    await dialog.getByText('Your session has ended').waitFor()
    await assertAccessible('session ended')
    t.is((await service.runtime.stores.keyPairs.listByUser(id)).length, 1)
    await dialog.getByText('Not now').click()

    await page.getByLabel('New key-pair').fill('Not lost')
    await page.getByRole('button', { name: 'Add New' }).click()
    await dialog.getByText('Your session has ended').waitFor()
    t.is(await page.getByLabel('New key-pair').inputValue(), 'Not lost')
    await dialog.getByRole('link', { name: 'Log In' }).click()
    await page.getByLabel('Username').fill('ada')
    await page.getByLabel('Password').fill(passwordOf('ada'))
    await page.getByRole('button', { name: 'Log In' }).click()
    await page.waitForURL('**/profile')
    t.is(await rows(page).count(), 1)
  },
)

inBrowser('logging in again in another tab lets this one go on', async (t, visit) => {
  const { service, page, context, logIn } = visit
  await service.createUser('ada')
  await logIn('ada')
  await service.advance(15 * 86_400)
  const tab = await context.newPage()
  await logIn('ada', tab)
  const { key } = await mint(page, 'After all')
  t.truthy(key)
})

inBrowser(
  'after a secret was shown, going back and forth does not show it again',
  async (t, visit) => {
    const { service, page, logIn } = visit
    await service.createUser('ada')
    await logIn('ada')
    const { secret } = await mint(page, 'Backup')
    await page.goto('/logout')
    await page.goBack()
    await rows(page).first().waitFor()
    t.is(await page.getByRole('dialog').count(), 0)
    t.false((await page.content()).includes(secret))
    await page.goForward()
    await page.getByRole('heading', { name: 'Log out?' }).waitFor()
    t.false((await page.content()).includes(secret))
    t.is((await service.runtime.stores.keyPairs.listByUser(1)).length, 1)
  },
)

inBrowser('everything works from the keyboard', async (t, visit) => {
  const { service, page, logIn } = visit
  await service.createUser('ada')
  await logIn('ada')
  await page.keyboard.press('Tab')
  await page.locator('.skip-link:focus').waitFor()
  await page.keyboard.press('Enter')
  await page.keyboard.press('Tab')
  await focused(page, 'new-key-pair')
  await page.keyboard.type('Typed')
  await page.keyboard.press('Enter')
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  // Around the dialog: the focus never reaches the page beneath.
  for (let i = 0; i < 12; i++) {
    await page.keyboard.press('Tab')
    const isInside = await page.evaluate(
      'document.activeElement === document.body || !!document.activeElement.closest("dialog")',
    )
    t.true(isInside)
  }
  await dialog.getByRole('button', { name: 'Dismiss' }).press('Enter')
  await focused(page, 'new-key-pair')
  await page
    .getByRole('button', { name: 'Rename' })
    .or(page.locator('.rename summary'))
    .first()
    .press('Enter')
  await page.locator('.rename[open] input:focus').waitFor()
  await page.keyboard.type('Renamed')
  await page.keyboard.press('Enter')
  await rows(page).getByText('Renamed').waitFor()
  await page.getByRole('button', { name: 'Revoke', exact: true }).press('Enter')
  await dialog.getByRole('button', { name: 'Revoke' }).press('Space')
  await page.getByText('No active key-pairs.').waitFor()
  await focused(page, 'key-pairs-heading')
  t.is(await page.getByRole('dialog').count(), 0)
})
