import { closeBrowserAfterwards, inBrowser, rows } from '../helpers/browser.js'
import { passwordOf } from '../helpers/with-service.js'

closeBrowserAfterwards()

const withoutScript = { javaScriptEnabled: false, viewport: { width: 360, height: 740 } }

inBrowser(
  'without JavaScript all of it works with forms and pages',
  async (t, { service, page, logIn }) => {
    const { id } = await service.createUser('ada')
    const list = () => service.runtime.stores.keyPairs.listByUser(id)
    await logIn('ada')
    await page.getByLabel('New key-pair').fill('Backup <script>')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('heading', { name: 'Key-pair “Backup <script>” created' }).waitFor()
    const [key = '', secret = ''] = await page.locator('.copyable').allTextContents()
    const href = await page.getByRole('link', { name: 'Download' }).getAttribute('href')
    const file = JSON.parse(await (await fetch(href ?? '')).text())
    t.deepEqual(file, { api_key: key, api_secret: secret })
    await service.exchange(file)

    // Sending the form again mints nothing and shows nothing.
    const response = await page.reload()
    t.is(response?.status(), 409)
    await page.getByText('This form was sent before').waitFor()
    t.false((await page.content()).includes(secret))
    t.is((await list()).length, 1)
    await page.goto('/profile')
    await rows(page).first().getByRole('button', { name: 'New Token' }).click()
    await page.getByLabel('API Secret').fill('wrong')
    await page.getByRole('button', { name: 'New Token' }).click()
    await page.getByText('The API key-pair is invalid.').waitFor()
    await page.getByLabel('API Secret').fill(secret)
    await page.getByRole('button', { name: 'New Token' }).click()
    const [access = ''] = await page.locator('.copyable').allTextContents()
    t.regex(access, /^[\w-]+\.[\w-]+\.[\w-]+$/)
    await page.getByRole('link', { name: 'Dismiss' }).click()

    await rows(page).first().locator('summary').click()
    await rows(page).first().getByLabel('Name').fill('Renamed')
    await rows(page).first().getByRole('button', { name: 'Save' }).click()
    await page.getByText('The key-pair was renamed.').waitFor()
    t.is((await list())[0]?.name, 'Renamed')

    await rows(page).first().getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('link', { name: 'Cancel' }).click()
    await rows(page).first().getByRole('button', { name: 'Revoke' }).click()
    await page.getByRole('button', { name: 'Revoke' }).click()
    await page.getByText('The key-pair was revoked.').waitFor()
    await service.mint(id, 'Another')
    await page.goto('/profile')
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await page.getByRole('button', { name: 'Revoke All' }).click()
    await page.getByText('All key-pairs were revoked.').waitFor()
    t.deepEqual(await list(), [])

    await page.getByLabel('Current password').fill(passwordOf('ada'))
    await page.getByLabel('New password', { exact: true }).fill('a-new-password')
    await page.getByLabel('Repeat new password').fill('a-new-password')
    await page.getByRole('button', { name: 'Change Password' }).click()
    await page.getByText('Your password was changed.').waitFor()
    await page.getByRole('button', { name: 'Log Out' }).click()
    await page.getByText('You are logged out.').waitFor()
  },
  withoutScript,
)

inBrowser(
  'without JavaScript going back to a secret shows nothing',
  async (t, { service, page, logIn }) => {
    const { id } = await service.createUser('ada')
    await logIn('ada')
    await page.getByLabel('New key-pair').fill('Backup')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('link', { name: 'Dismiss' }).click()
    await rows(page).first().waitFor()
    // The page was not stored, and a browser sends a form again only if it is told to.
    await t.throwsAsync(page.goBack(), { message: /ERR_CACHE_MISS/ })
    t.is((await service.runtime.stores.keyPairs.listByUser(id)).length, 1)
  },
  withoutScript,
)

inBrowser(
  'without JavaScript a session that has ended leads to the log-in page',
  async (t, { service, page, logIn }) => {
    const { id } = await service.createUser('ada')
    await logIn('ada')
    service.advance(15 * 86_400)
    await page.getByLabel('New key-pair').fill('Too late')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByText('Your session has ended.').waitFor()
    t.is(new URL(page.url()).searchParams.get('next'), '/profile')
    t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
  },
  withoutScript,
)
