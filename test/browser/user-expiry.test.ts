import { closeBrowserAfterwards, inBrowser } from '../helpers/browser.js'

closeBrowserAfterwards()

for (const javaScriptEnabled of [true, false]) {
  inBrowser(
    `an administrator lets an account expire, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`,
    async (t, { service, page, logIn, assertAccessible }) => {
      const { id } = await service.createUser('ada')
      await service.createUser('root', 'administrator')
      await logIn('root')
      await page.goto(`${service.url}/users/${id}/profile`)
      await page.getByLabel('Account expires').fill('2099-01-31')
      await page.getByRole('button', { name: 'Save Expiry' }).click()
      await page.getByText('The expiry of the account was changed.', { exact: true }).waitFor()
      if (javaScriptEnabled) {
        for (const scheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme: scheme })
          await assertAccessible(`an account that expires, ${scheme}`)
        }
        await page.setViewportSize({ width: 360, height: 740 })
        t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
      }
      const { users } = service.runtime.services
      t.is((await users.findByLogin('ada')).expiresAt, Date.UTC(2099, 0, 31) / 1000)
      t.is(await page.getByLabel('Account expires').inputValue(), '2099-01-31')
      await page.getByLabel('Account expires').fill('')
      await page.getByRole('button', { name: 'Save Expiry' }).click()
      await page.getByText('The account does not expire.').waitFor()
      t.is((await users.findByLogin('ada')).expiresAt, null)
    },
    { javaScriptEnabled },
  )
}
