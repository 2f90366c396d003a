import { readFileSync } from 'node:fs'
import {
  closeBrowserAfterwards,
  focused,
  inBrowser,
  mint,
  rowOf,
  rows,
} from '../helpers/browser.js'
import { bearer } from '../helpers/with-service.js'

closeBrowserAfterwards()

inBrowser('minting shows key and secret once, to copy and to download', async (t, visit) => {
  const { service, page, context, logIn, assertAccessible } = visit
  await service.createUser('ada')
  await context.grantPermissions(['clipboard-read', 'clipboard-write'])
  await logIn('ada')
  await page.getByText('No key-pairs yet.').waitFor()
  await assertAccessible('empty profile')

  const { key, secret } = await mint(page, 'Backup script')
  t.regex(secret, /^twk_\w{46}$/)
  await assertAccessible('minted')
  const dialog = page.getByRole('dialog')
  const clipboard = () => page.evaluate('navigator.clipboard.readText()')
  await dialog.getByRole('button', { name: 'Copy API Key' }).click()
  t.is(await clipboard(), key)
  await dialog.getByRole('button', { name: 'Copy API Secret' }).click()
  t.is(await clipboard(), secret)
  await dialog.getByText('API Secret copied.').waitFor()
  await dialog
    .getByRole('button', { name: 'Copied Try it with curl' })
    .or(dialog.getByRole('button', { name: 'Copy Try it with curl' }))
    .click()
  t.is(
    await clipboard(),
    `curl -X POST "${service.url}/wp-json/wp/v2/token" -F "api_key=${key}" -F "api_secret=${secret}"`,
  )

  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download' }).click(),
  ])
  t.is(download.suggestedFilename(), 'key-pair.json')
  const file = JSON.parse(readFileSync(await download.path(), 'utf8'))
  t.deepEqual(file, { api_key: key, api_secret: secret })
  const { access_token } = await service.exchange(file)
  t.is((await service.json('/wp/v2/users/me', { headers: bearer(access_token) })).body.name, 'ada')

  await page.keyboard.press('Escape')
  await dialog.getByText('Press Escape once more').waitFor()
  await assertAccessible('asked before closing')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  t.false((await page.content()).includes(secret))
  await focused(page, 'add-new')
  t.is(await rows(page).count(), 1)
  t.is(await rowOf(page, 'Backup script').locator('code').textContent(), key)
  await page.getByText('revokes your key-pair').waitFor()
  await assertAccessible('profile with one key-pair')
})

inBrowser('names are shown as typed, the newest first', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  await service.createUser('ada')
  await logIn('ada')
  const names = [
    '<img src=x onerror="alert(1)">',
    `{api_secret} "quoted" 'single' & amp;`,
    '🔑🦉 emoji',
    'مفتاح النسخ',
    '𝒳'.repeat(255),
    '  two  spaces',
  ]
  for (const name of names) {
    await mint(page, name)
    t.is(await page.locator('dialog h2 bdi').textContent(), name)
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await rows(page).nth(names.indexOf(name)).waitFor()
  }
  t.deepEqual(await page.locator('.pair-name').allTextContents(), names.toReversed())
  t.is(await page.evaluate('document.querySelectorAll("#main img").length'), 0)
  t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  await page.setViewportSize({ width: 360, height: 740 })
  t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
  await assertAccessible('long names at 360 px')
  await page.getByLabel('New key-pair').fill('x'.repeat(256))
  await page.getByRole('button', { name: 'Add New' }).click()
  await page.getByText('The name must have at most 255 characters.').waitFor()
  await assertAccessible('refused name')
})

inBrowser('a new token: wrong and right secret, in place', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id, 'Backup')
  await logIn('ada')
  const trigger = rowOf(page, 'Backup').getByRole('button', { name: 'New Token' })
  await trigger.click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  await focused(page, 'api-secret')
  await assertAccessible('asked for the secret')
  await dialog.getByLabel('API Secret').fill('wrong')
  await dialog.getByRole('button', { name: 'New Token' }).click()
  await dialog.getByText('The API key-pair is invalid.').waitFor()
  t.is(await dialog.getByLabel('API Secret').inputValue(), 'wrong')
  await assertAccessible('wrong secret')

  await dialog.getByLabel('API Secret').fill(pair.api_secret)
  await page.keyboard.press('Enter')
  await dialog.locator('.secret-label', { hasText: 'Access token' }).waitFor()
  await assertAccessible('tokens')
  const [access = '', refresh = ''] = await dialog.locator('.copyable').allTextContents()
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    dialog.getByRole('button', { name: 'Download' }).click(),
  ])
  t.is(download.suggestedFilename(), 'token.json')
  const file = JSON.parse(readFileSync(await download.path(), 'utf8'))
  t.deepEqual(Object.keys(file).sort(), ['access_token', 'data', 'exp', 'refresh_token'])
  t.deepEqual([file.access_token, file.refresh_token], [access, refresh])
  const checked = await service.json('/wp/v2/token/validate', { headers: bearer(access) })
  t.is(checked.status, 200)
  await dialog.getByRole('button', { name: 'Dismiss' }).click()
  await dialog.waitFor({ state: 'detached' })
  t.false((await page.content()).includes(access))
  await focused(page, `token-${pair.api_key}`)
})

inBrowser('renaming happens in place', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const { api_key } = await service.mint(id, 'Old name')
  await logIn('ada')
  const row = rows(page).first()
  await row.locator('summary').click()
  await assertAccessible('renaming')
  await row.getByLabel('Name').fill('   ')
  await row.getByLabel('Name').press('Enter')
  await row.getByText('The key-pair name is required.').waitFor()
  await row.getByLabel('Name').press('Escape')
  t.true(await row.locator('.pair-name').isVisible())
  await row.locator('summary').press('Enter')
  t.is(await row.getByLabel('Name').inputValue(), 'Old name')
  await row.getByLabel('Name').fill('New <name>')
  await row.getByRole('button', { name: 'Save' }).click()
  await rowOf(page, 'New <name>').waitFor()
  await page.getByText('Renamed to New <name>.').waitFor({ state: 'attached' })
  await page.locator('summary:focus').waitFor()
  const found = await service.runtime.stores.keyPairs.find(id, api_key)
  t.is(found?.name, 'New <name>')
})

inBrowser('revoking says what stops, and stops it at once', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const pairs = [await service.mint(id, 'One'), await service.mint(id, 'Two')]
  const tokens = await Promise.all(pairs.map((pair) => service.exchange(pair)))
  await service.runtime.services.usage.flush()
  service.advance(180)
  await logIn('ada')
  await rowOf(page, 'Two').getByRole('button', { name: 'Revoke' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByText('last used 3 minutes ago from 127.0.0.1').waitFor()
  await dialog.getByRole('heading', { name: 'Revoke “Two”?' }).waitFor()
  await assertAccessible('asked before revoking')
  await page.keyboard.press('Escape')
  await dialog.waitFor({ state: 'detached' })
  await focused(page, `revoke-${pairs[1]?.api_key}`)

  await page.keyboard.press('Enter')
  await dialog.getByRole('button', { name: 'Revoke' }).click()
  await rowOf(page, 'Two').waitFor({ state: 'detached' })
  await page.locator('#live').getByText('Key-pair Two revoked.').waitFor({ state: 'attached' })
  await focused(page, `revoke-${pairs[0]?.api_key}`)
  const check = async (index: number) => {
    const headers = bearer(tokens[index]?.access_token ?? '')
    return (await service.json('/wp/v2/token/validate', { headers })).status
  }
  t.deepEqual([await check(0), await check(1)], [200, 403])

  await page.getByText('Show revoked (1)').click()
  await rowOf(page, 'Two').getByText('Revoked').waitFor()
  await assertAccessible('with revoked key-pairs')
  t.is(await rowOf(page, 'Two').getByRole('button', { name: 'New Token' }).count(), 0)
})

inBrowser('revoking all counts them, and leaves none', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  for (const name of ['One', 'Two', 'Three']) await service.mint(id, name)
  await logIn('ada')
  await page.getByRole('button', { name: 'Revoke All' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.getByRole('heading', { name: 'Revoke all 3 key-pairs?' }).waitFor()
  await assertAccessible('asked before revoking all')
  await dialog.getByRole('button', { name: 'Revoke All' }).click()
  await page.getByText('No active key-pairs.').waitFor()
  await page.locator('#live').getByText('3 key-pairs revoked.').waitFor({ state: 'attached' })
  t.deepEqual(await service.runtime.stores.keyPairs.listByUser(id), [])
})

inBrowser(
  'hundreds of key-pairs: pages, and a filter that follows the typing',
  async (t, visit) => {
    const { service, page, logIn, assertAccessible } = visit
    const { id } = await service.createUser('ada')
    await service.runtime.db.batchInsert(
      'key_pairs',
      Array.from({ length: 230 }, (_, i) => ({
        user_id: id,
        name: `Sensor ${i + 1}`,
        api_key: `${id}${String(i).padStart(24, 'k')}`,
        secret_hash: 'x',
        hash_scheme: 'sha256',
        created_at: service.now() - i,
      })),
      100,
    )
    await logIn('ada')
    t.is(await rows(page).count(), 50)
    await assertAccessible('pages')
    await page.getByRole('link', { name: 'Next' }).click()
    await page.getByText('51–100 of 230').waitFor()
    await page.goBack()
    await page.getByText('1–50 of 230').waitFor()
    await page.goForward()
    await page.getByText('51–100 of 230').waitFor()
    await page.getByLabel('Filter by name or API key').pressSequentially('sensor 22', { delay: 30 })
    await page.locator('#live').getByText('11 shown.').waitFor({ state: 'attached' })
    t.is(await rows(page).count(), 11)
    t.is(await page.getByLabel('Filter by name or API key').inputValue(), 'sensor 22')
    await focused(page, 'filter')
    await page.getByLabel('Filter by name or API key').fill('100%_no')
    await page.getByText('No key-pair matches').waitFor()
    await page.getByText('Show all').click()
    await page.getByText('1–50 of 230').waitFor()
  },
)

inBrowser(
  'times are relative, exact on hover, and in the reader’s own zone',
  async (t, { service, page, logIn }) => {
    const { id } = await service.createUser('ada')
    const { api_key } = await service.mint(id, 'Old')
    // 22 November 2026, 03:19 UTC: the evening before in Los Angeles.
    await service.runtime.db('key_pairs').where({ api_key }).update({ created_at: 1_795_317_540 })
    service.advance(1_795_317_540 + 3 * 3600 - service.now())
    await logIn('ada')
    const created = rows(page).first().locator('time').first()
    t.is(await created.textContent(), '3 hours ago')
    t.is(await created.getAttribute('datetime'), '2026-11-22T03:19:00.000Z')
    t.regex((await created.getAttribute('title')) ?? '', /^21 November 2026 at 19:19:00/)
    const picture = rows(page).first().getByRole('img')
    t.is(await picture.getAttribute('aria-label'), 'No exchanges in the last 30 days')
  },
  { timezoneId: 'America/Los_Angeles' },
)
