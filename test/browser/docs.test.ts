import { closeBrowserAfterwards, inBrowser } from '../helpers/browser.js'

closeBrowserAfterwards()

inBrowser('the page about the API is one click away, and for everybody', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  await service.createUser('ada')
  await logIn('ada')
  await page.getByRole('link', { name: 'API', exact: true }).click()
  const route = page.getByText('Mint a key-pair', { exact: true })
  await route.click()
  await page.locator('details[open]').getByText('in the path').first().waitFor()
  t.is(await page.locator('[aria-current="page"]').textContent(), 'API')
  await assertAccessible('API')
  await page.emulateMedia({ colorScheme: 'dark' })
  await assertAccessible('API, dark')
  await page.setViewportSize({ width: 360, height: 740 })
  t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  await page.getByRole('button', { name: 'Log Out' }).click()
  await page.getByLabel('Username').waitFor()
  await page.goto('/docs')
  await route.waitFor()
  await assertAccessible('API, for somebody who is not logged in')
})
