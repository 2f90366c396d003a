import { operator } from '../../src/domain/actor.js'
import { closeBrowserAfterwards, inBrowser, rowOf } from '../helpers/browser.js'

closeBrowserAfterwards()

const env = { KEY_PAIR_SCOPES: 'orders:read=Read orders;orders:write=Change orders' }

inBrowser(
  'a new key-pair can be limited, and the list shows how',
  async (t, visit) => {
    const { service, page, logIn, assertAccessible } = visit
    const { id } = await service.createUser('ada')
    await logIn('ada')
    await page.getByLabel('New key-pair').fill('Limited')
    t.false(await page.getByLabel('Networks').isVisible())
    await page.getByText('Options', { exact: true }).click()
    await assertAccessible('options')
    await page.getByLabel('Expires').selectOption({ index: 2 })
    await page.getByRole('checkbox', { name: /orders:read/ }).check()
    await page.getByLabel('Networks').fill('example.com')
    await page.getByLabel('Description').fill('Host 1')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByText('The networks must be addresses or CIDR ranges').waitFor()
    t.is(await page.getByLabel('Networks').getAttribute('aria-invalid'), 'true')
    await assertAccessible('refused network')

    await page.getByLabel('Networks').fill('203.0.113.0/24, ::1')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('dialog').waitFor()
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await rowOf(page, 'Limited').waitFor()
    // In its very first second it expires next month.
    service.advance(60)
    await page.reload()
    const text = (await rowOf(page, 'Limited').locator('.limits').textContent()) ?? ''
    t.regex(text, /Host 1Expires in 4 weeksScopes: orders:readFrom 203\.0\.113\.0\/24, ::1/)
    await assertAccessible('limited key-pair')

    await page.getByLabel('New key-pair').fill('Dated')
    await page.getByText('Options', { exact: true }).click()
    await page.getByLabel('Expires').selectOption({ index: 1 })
    await page.getByLabel('Or on a date').fill('2099-01-31')
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('dialog').waitFor()
    const [dated] = await service.runtime.services.keyPairs.list(operator, id)
    t.is(dated?.expiresAt, Date.parse('2099-01-31') / 1000)
    await page.getByRole('button', { name: 'Dismiss' }).click()
    await page.setViewportSize({ width: 360, height: 740 })
    await page.getByText('Options', { exact: true }).click()
    t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
    await assertAccessible('options at 360 px')
  },
  {},
  env,
)

inBrowser(
  'the limits of a key-pair are changed, and lifted',
  async (t, visit) => {
    const { service, page, logIn, assertAccessible } = visit
    const { id } = await service.createUser('ada')
    const { keyPairs } = service.runtime.services
    const policy = { networks: ['192.0.2.0/24'], expiresAt: service.now() + 10 }
    await keyPairs.mint(operator, id, 'Backup', { policy })
    await logIn('ada')
    const change = rowOf(page, 'Backup').getByRole('button', { name: 'Limits' })
    const dialog = page.getByRole('dialog')
    const stored = async () => (await keyPairs.list(operator, id))[0]

    await change.click()
    await dialog.getByRole('heading', { name: 'Limits of “Backup”' }).waitFor()
    t.is(await dialog.getByLabel('Networks').inputValue(), '192.0.2.0/24')
    await assertAccessible('limits')
    await dialog.getByLabel('Networks').fill('here')
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.getByText('The networks must be addresses or CIDR ranges').waitFor()
    await assertAccessible('limits refused')
    t.deepEqual((await stored())?.networks, ['192.0.2.0/24'])

    // Its time may be over before somebody saves the form; what stays as it is is no mistake.
    service.advance(60)
    await dialog.getByLabel('Networks').fill('')
    await dialog.getByLabel('Description').fill('Host 1')
    await dialog.getByRole('checkbox', { name: /orders:read/ }).check()
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    const limits = rowOf(page, 'Backup').locator('.limits')
    await limits.getByText('Scopes: orders:read').waitFor()
    t.like(await stored(), { ...policy, networks: null, description: 'Host 1' })
    t.is(await page.evaluate('document.activeElement.title'), 'Limits')

    await change.click()
    t.true(await dialog.getByRole('checkbox', { name: /orders:read/ }).isChecked())
    await dialog.getByRole('checkbox', { name: /orders:read/ }).uncheck()
    await dialog.getByLabel('Description').fill('')
    await dialog.getByLabel('Expires').selectOption({ label: 'Never' })
    await page.setViewportSize({ width: 360, height: 740 })
    t.true(await page.evaluate('document.documentElement.scrollWidth <= innerWidth'))
    await dialog.getByRole('button', { name: 'Save' }).click()
    await dialog.waitFor({ state: 'detached' })
    await limits.waitFor({ state: 'detached' })
    t.like(await stored(), { expiresAt: null, scopes: null, networks: null, description: '' })
  },
  {},
  env,
)

inBrowser('a secret is rotated with an overlap, and then without', async (t, visit) => {
  const { service, page, logIn, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const old = await service.mint(id, 'Backup')
  const exchange = async (api_secret: string) => {
    const fields = { api_key: old.api_key, api_secret }
    return (await service.json('/wp/v2/token', { fields })).status
  }
  await logIn('ada')
  const rotate = rowOf(page, 'Backup').getByRole('button', { name: 'Rotate' })
  const dialog = page.getByRole('dialog')
  await rotate.click()
  await dialog.getByLabel('Old secret ends').waitFor()
  await assertAccessible('asked how long')
  await dialog.getByRole('button', { name: 'Rotate' }).click()
  await dialog.getByText('New secret for “Backup”').waitFor()
  await assertAccessible('rotated')
  const [, fresh = ''] = await dialog.locator('.copyable').allTextContents()
  t.deepEqual([await exchange(old.api_secret), await exchange(fresh)], [200, 200])
  await dialog.getByRole('button', { name: 'Dismiss' }).click()
  await dialog.waitFor({ state: 'detached' })
  t.is(await page.evaluate('document.activeElement.id'), `rotate-${old.api_key}`)
  t.false((await page.content()).includes(fresh))
  await service.runtime.services.usage.flush()
  await page.reload()
  t.regex(
    (await rowOf(page, 'Backup').locator('.limits').textContent()) ?? '',
    /Last use of the new secret: just now, of the old one: just now\. The old one ends (in 2[34] hours|tomorrow|in 1 day)\./,
  )

  await rotate.click()
  await dialog.getByText('Until then you can only end both.').waitFor()
  await dialog.getByRole('button', { name: 'Rotate' }).click()
  await dialog.getByText('New secret for').waitFor()
  t.deepEqual([await exchange(old.api_secret), await exchange(fresh)], [403, 403])
})

inBrowser(
  'without the script, limits and rotation work too',
  async (t, visit) => {
    const { service, page, logIn } = visit
    const { id } = await service.createUser('ada')
    await logIn('ada')
    await page.getByLabel('New key-pair').fill('Plain')
    await page.getByText('Options', { exact: true }).click()
    await page.getByLabel('Or on a date').fill('2099-01-31')
    await page.getByRole('checkbox', { name: /orders:write/ }).check()
    await page.getByRole('button', { name: 'Add New' }).click()
    await page.getByRole('heading', { name: 'Key-pair “Plain” created' }).waitFor()
    const [pair] = await service.runtime.services.keyPairs.list(operator, id)
    t.like(pair, { expiresAt: Date.parse('2099-01-31') / 1000, scopes: ['orders:write'] })

    await page.getByRole('link', { name: 'Dismiss' }).click()
    await rowOf(page, 'Plain').getByRole('button', { name: 'Limits' }).click()
    await page.getByRole('checkbox', { name: /orders:write/ }).uncheck()
    await page.getByLabel('Networks').fill('nowhere')
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The networks must be addresses or CIDR ranges').waitFor()
    await page.getByLabel('Networks').fill('127.0.0.0/8')
    await page.getByRole('checkbox', { name: /orders:write/ }).uncheck()
    await page.getByRole('button', { name: 'Save' }).click()
    await page.getByText('The limits of the key-pair were changed.').waitFor()
    const [limited] = await service.runtime.services.keyPairs.list(operator, id)
    t.like(limited, { expiresAt: pair?.expiresAt, scopes: null, networks: ['127.0.0.0/8'] })

    await rowOf(page, 'Plain').getByRole('button', { name: 'Rotate' }).click()
    await page.getByLabel('Old secret ends').selectOption('0')
    await page.getByRole('button', { name: 'Rotate' }).click()
    await page.getByRole('heading', { name: 'New secret for “Plain”' }).waitFor()
    const [, secret = ''] = await page.locator('.copyable').allTextContents()
    const fields = { api_key: pair?.apiKey ?? '', api_secret: secret }
    t.is((await service.json('/wp/v2/token', { fields })).status, 200)
  },
  { javaScriptEnabled: false },
  env,
)
