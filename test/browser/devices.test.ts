import { closeBrowserAfterwards, inBrowser, rowOf, type Visit } from '../helpers/browser.js'
import { bearer } from '../helpers/with-service.js'

closeBrowserAfterwards()

const chrome =
  'Mozilla/5.0 (Linux; Android 14) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36'

/** A key-pair with a device that is in use, and one whose refresh token two parties have. */
async function useDevices({ service }: Visit) {
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id, 'Field app')
  const post = async (fields: Record<string, string>) =>
    (await service.json('/wp/v2/token', { fields, headers: { 'User-Agent': chrome } })).body
  const stolen = await post({ ...pair, device: 'Tablet <b>7</b>' })
  await post({ refresh_token: stolen.refresh_token })
  service.advance(40)
  await post({ refresh_token: stolen.refresh_token })
  const phone = await post({ ...pair, device: 'Ada’s phone' })
  const desk = await post({ ...pair, device: 'Desk' })
  const check = async (text: string) =>
    (await service.json('/wp/v2/token/validate', { headers: bearer(text) })).status
  return { phone, desk, check }
}

for (const javaScriptEnabled of [true, false]) {
  inBrowser(
    `devices are shown with what happened to them, and signed out, ${javaScriptEnabled ? 'with' : 'without'} JavaScript`,
    async (t, visit) => {
      const { page, logIn, assertAccessible } = visit
      const { phone, desk, check } = await useDevices(visit)
      await logIn('ada')
      const devices = rowOf(page, 'Field app').locator('.devices')
      await devices.getByText('3 devices').waitFor()
      const text = (await devices.textContent()) ?? ''
      t.regex(text, /Tablet <b>7<\/b>/)
      t.regex(text, /Chrome on Android/)
      t.regex(
        text,
        /used again .*from 127\.0\.0\.1; .* gone to 127\.0\.0\.1\. The device was signed out\./,
      )
      if (javaScriptEnabled) {
        for (const scheme of ['light', 'dark'] as const) {
          await page.emulateMedia({ colorScheme: scheme })
          await assertAccessible(`devices, ${scheme}`)
        }
        await page.setViewportSize({ width: 360, height: 740 })
        t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
        await assertAccessible('devices at 360 px')
        await page.setViewportSize({ width: 1280, height: 900 })
      }
      t.is(await devices.getByRole('button').count(), 2, 'who is signed out needs no button')
      const item = devices.getByRole('listitem').filter({ hasText: 'Ada’s phone' })
      await item.getByRole('button', { name: 'Sign out' }).click()
      await page.getByText('The device was signed out.', { exact: true }).waitFor()
      t.is(await check(phone.access_token), 403)
      t.is(await check(desk.access_token), 200)
      t.is(await devices.getByText('2 devices').count(), 1)
    },
    { javaScriptEnabled },
  )
}

inBrowser('a key-pair is made to require a device', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id, 'Field app')
  await logIn('ada')
  const row = rowOf(page, 'Field app')
  await row.getByRole('button', { name: 'Limits' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByLabel('Devices').selectOption('Required')
  await assertAccessible('limits with devices')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await row.getByText('Requires a device').waitFor()
  const refused = await service.json('/wp/v2/token', { fields: { ...pair } })
  t.is(refused.body.code, 'rest_authentication_required_device')
  await row.getByRole('button', { name: 'Limits' }).click()
  await dialog.getByLabel('Devices').selectOption('Optional')
  await dialog.getByRole('button', { name: 'Save' }).click()
  await row.getByText('Requires a device').waitFor({ state: 'detached' })
  t.is((await service.json('/wp/v2/token', { fields: { ...pair } })).status, 200)
})
