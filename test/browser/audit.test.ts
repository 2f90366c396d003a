import { closeBrowserAfterwards, inBrowser } from '../helpers/browser.js'

closeBrowserAfterwards()

for (const javaScriptEnabled of [true, false]) {
  inBrowser(
    `activity is shown and filtered ${javaScriptEnabled ? 'with' : 'without'} scripts`,
    async (t, { service, page, logIn, assertAccessible }) => {
      const root = await service.createUser('root', 'administrator')
      const pair = await service.mint(root.id, '<b>Backup</b>')
      const refused = await service.json('/wp/v2/token', { fields: { ...pair, api_secret: 'x' } })
      const requestId = refused.headers.get('X-Request-Id') ?? ''
      await logIn('root')
      await page.getByRole('link', { name: 'Audit' }).click()
      await page.getByLabel('Request id').fill(requestId)
      await page.getByRole('button', { name: 'Filter' }).click()
      const rows = page.locator('.audit tbody tr')
      await page.waitForURL(/request_id=/)
      t.is(await rows.count(), 1)
      t.regex((await rows.first().textContent()) ?? '', /wrong_secret/)
      if (javaScriptEnabled) await assertAccessible('the audit log')

      await page.goto(`/profile/activity?api_key=${pair.api_key}`)
      t.is(await rows.count(), 2)
      t.regex((await rows.last().textContent()) ?? '', /<b>Backup<\/b>/)
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.emulateMedia({ colorScheme })
        for (const width of [1280, 360]) {
          await page.setViewportSize({ width, height: 900 })
          if (javaScriptEnabled) await assertAccessible(`${colorScheme}, ${width} px`)
          if (process.env.AUDIT_SHOTS) {
            await page.screenshot({
              path: `${process.env.AUDIT_SHOTS}/${colorScheme}-${width}.png`,
            })
          }
        }
      }
    },
    { javaScriptEnabled },
  )
}
