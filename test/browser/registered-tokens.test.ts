import { closeBrowserAfterwards, inBrowser, rowOf } from '../helpers/browser.js'
import { bearer } from '../helpers/with-service.js'

closeBrowserAfterwards()

for (const javaScriptEnabled of [true, false]) {
  inBrowser(
    `revocable tokens are shown, and revoked, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`,
    async (t, { service, page, logIn, assertAccessible }) => {
      const { id } = await service.createUser('ada')
      const pair = await service.mint(id, 'Field app')
      const ask = async (fields: Record<string, string>) =>
        (
          await service.json('/wp/v2/token', {
            fields: { ...pair, is_revocable: 'true', ...fields },
          })
        ).body
      const report = await ask({ description: 'Nightly <b>report</b>', device: 'Server' })
      const other = await ask({})
      const check = async (text: string) =>
        (await service.json('/wp/v2/token/validate', { headers: bearer(text) })).status
      await logIn('ada')
      const tokens = rowOf(page, 'Field app')
        .locator('details')
        .filter({ hasText: 'revocable token' })
      await tokens.getByText('2 revocable tokens').click()
      await tokens.getByText('Nightly <b>report</b>').waitFor()
      t.true(((await tokens.textContent()) ?? '').includes(other.jti))
      if (javaScriptEnabled) {
        for (const scheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme: scheme })
          await assertAccessible(`revocable tokens, ${scheme}`)
        }
        await page.setViewportSize({ width: 360, height: 740 })
        t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
        await assertAccessible('revocable tokens at 360 px')
        await page.setViewportSize({ width: 1280, height: 900 })
      }
      const item = tokens.getByRole('listitem').filter({ hasText: 'Nightly' })
      await item.getByRole('button', { name: 'Revoke' }).click()
      await page.getByText('The token was revoked.', { exact: true }).waitFor()
      t.is(await check(report.access_token), 403)
      t.is(await check(other.access_token), 200)
      t.is(await tokens.getByText('1 revocable token', { exact: true }).count(), 1)
    },
    { javaScriptEnabled },
  )
}
