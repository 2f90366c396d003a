import { closeBrowserAfterwards, inBrowser, mint, rows } from '../helpers/browser.js'
import { bearer } from '../helpers/with-service.js'

closeBrowserAfterwards()

inBrowser('an administrator manages another’s key-pairs, marked as another’s', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  await service.createUser('root', 'administrator')
  const ada = await service.createUser('ada')
  const { access_token } = await service.exchange(await service.mint(ada.id, 'Hers'))
  await logIn('root')
  await page.getByRole('link', { name: 'Users' }).click()
  await assertAccessible('users')
  await page.getByLabel('Search users').fill('ADA')
  await page.locator('#users tbody tr').nth(1).waitFor({ state: 'detached' })
  await page.getByRole('link', { name: 'ada' }).click()
  await page.getByText('You are looking at another user’s profile: ada.').waitFor()
  await assertAccessible('another’s profile')
  t.is(await page.getByLabel('Current password').count(), 0)
  const { key } = await mint(page, 'By root')
  t.true(key.startsWith(String(ada.id)))
  await page.getByRole('button', { name: 'Dismiss' }).click()
  await page.getByRole('button', { name: 'Revoke All' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Revoke all 2 key-pairs of ada?' }).waitFor()
  await dialog.getByRole('button', { name: 'Revoke All' }).click()
  await page.getByText('No active key-pairs.').waitFor()
  t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).status, 403)
})

inBrowser('an administrator creates, disables, enables and resets', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  await service.createUser('root', 'administrator')
  await logIn('root')
  await page.goto('/users')
  await page.getByRole('button', { name: 'Add User' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Username').fill('root')
  await dialog.getByLabel('E-mail').fill('grace@sample.org')
  await dialog.getByLabel('Role').selectOption('editor')
  await assertAccessible('new user')
  await dialog.getByRole('button', { name: 'Add User' }).click()
  await page.getByText('Sorry, that username already exists!').waitFor()
  await assertAccessible('new user refused')
  await page.getByLabel('Username').fill('grace')
  await page.getByRole('button', { name: 'Add User' }).click()
  await page.getByRole('heading', { name: 'Password of grace' }).waitFor()
  await assertAccessible('password shown')
  const password = (await page.locator('.copyable').textContent()) ?? ''
  const grace = (await service.logIn('grace', password)).user
  t.deepEqual(grace.roles, ['editor'])
  const pair = await service.mint(grace.id)

  await page.goto('/users')
  const row = page.locator('#users tbody tr', { hasText: 'grace' })
  await row.getByRole('button', { name: 'Disable' }).click()
  await dialog.getByText('Disable grace?').waitFor()
  await assertAccessible('asked before disabling')
  await dialog.getByRole('button', { name: 'Disable' }).click()
  await page.getByText('The user was disabled.').waitFor()
  await row.getByText('Disabled').waitFor()
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  await row.getByRole('button', { name: 'Enable' }).click()
  await dialog.getByRole('button', { name: 'Enable' }).click()
  await page.getByText('The user was enabled.').waitFor()
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 200)

  await row.getByRole('button', { name: 'Reset Password' }).click()
  await dialog.getByLabel('Password').fill('a-good-password')
  await dialog.getByRole('button', { name: 'Reset Password' }).click()
  await page.getByText('The password was reset').waitFor()
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 403)
  await service.logIn('grace', 'a-good-password')
  t.is(await page.locator('#users tbody tr', { hasText: 'You' }).getByRole('button').count(), 0)
})

inBrowser('a subscriber is refused', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const root = await service.createUser('root', 'administrator')
  await service.createUser('ada')
  await logIn('ada')
  t.is(await page.getByRole('link', { name: 'Users' }).count(), 0)
  for (const path of [
    '/users',
    '/users/new',
    `/users/${root.id}/profile`,
    `/users/${root.id}/password`,
    `/users/${root.id}/profile/revoke-all`,
  ]) {
    const response = await page.goto(path)
    t.is(response?.status(), 403, path)
    await page.getByText('Error 403').waitFor()
  }
  await assertAccessible('refused')
  await page.getByRole('link', { name: 'Back to your profile' }).click()
  t.is(await rows(page).count(), 0)
})
