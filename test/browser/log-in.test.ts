import { closeBrowserAfterwards, focused, inBrowser } from '../helpers/browser.js'
import { passwordOf } from '../helpers/with-service.js'

closeBrowserAfterwards()

inBrowser('a right password leads to the profile, also of an e-mail address', async (t, visit) => {
  const { service, page, assertAccessible } = visit
  await service.createUser('ada')
  await page.goto('/')
  t.is(new URL(page.url()).pathname, '/login')
  await page.getByText('First start?').waitFor()
  await assertAccessible('log-in page')
  await page.getByLabel('Username').fill(' ada@sample.org ')
  await page.getByLabel('Password').fill(passwordOf('ada'))
  await page.getByLabel('Password').press('Enter')
  await page.waitForURL('**/profile')
  await page.getByRole('heading', { name: 'API Key-pairs' }).waitFor()

  await page.getByRole('button', { name: 'Log Out' }).click()
  await page.waitForURL('**/login')
  await page.getByText('You are logged out.').waitFor()
  t.is(await page.getByText('First start?').count(), 0)
  await page.goBack()
  await page.waitForURL('**/login?**')
})

inBrowser('a wrong password is said on the form, which keeps the username', async (t, visit) => {
  const { service, page, assertAccessible } = visit
  await service.createUser('ada')
  await page.goto('/login?next=/users')
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password').fill('wrong')
  await page.getByRole('button', { name: 'Log In' }).click()
  await page.getByRole('alert').getByText('The username or password is incorrect.').waitFor()
  t.is(await page.getByLabel('Username').inputValue(), 'ada')
  t.is(await page.getByLabel('Password').inputValue(), '')
  await focused(page, 'password')
  await assertAccessible('wrong password')
})

inBrowser('ten wrong passwords lock the login; its key-pairs go on working', async (t, visit) => {
  const { service, page, assertAccessible } = visit
  const { id } = await service.createUser('ada')
  const pair = await service.mint(id)
  for (let i = 0; i < 10; i++) {
    const fields = { user_login: i % 2 === 0 ? 'ADA' : 'ada@sample.org', password: `wrong ${i}` }
    t.is((await service.json('/login', { fields })).status, 401)
  }
  await page.goto('/login')
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password').fill(passwordOf('ada'))
  await page.getByRole('button', { name: 'Log In' }).click()
  await page.getByRole('alert').getByText('Too many failed attempts').waitFor()
  await assertAccessible('locked')
  const answer = await service.json('/login', {
    fields: { user_login: 'ada', password: passwordOf('ada') },
  })
  t.is(answer.status, 429)
  t.is(answer.body.code, 'rest_too_many_attempts')
  t.true(Number(answer.headers.get('Retry-After')) > 800)
  t.truthy((await service.exchange(pair)).access_token)
})

inBrowser('a disabled account is told so only with its right password', async (t, visit) => {
  const { service, page } = visit
  const { id } = await service.createUser('ada')
  await service.runtime.services.users.disable(id)
  await page.goto('/login')
  for (const [password, text] of [
    ['wrong', 'The username or password is incorrect.'],
    [passwordOf('ada'), 'The user account is disabled.'],
  ] as const) {
    await page.getByLabel('Username').fill('ada')
    await page.getByLabel('Password').fill(password)
    await page.getByRole('button', { name: 'Log In' }).click()
    await page.getByRole('alert').getByText(text).waitFor()
  }
  t.is(new URL(page.url()).pathname, '/login')
})

inBrowser('after logging in one is where one wanted to be, but only here', async (t, visit) => {
  const { service, page, logIn, context } = visit
  await service.createUser('ada', 'administrator')
  await page.goto('/users?q=a')
  t.is(new URL(page.url()).pathname, '/login')
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password').fill(passwordOf('ada'))
  await page.getByRole('button', { name: 'Log In' }).click()
  await page.waitForURL('**/users?q=a')
  for (const next of [
    '//evil.example',
    '/\\evil.example',
    'https://evil.example',
    '/profile/..//x',
  ]) {
    await context.clearCookies()
    await page.goto(`/login?next=${encodeURIComponent(next)}`)
    t.is(await page.locator('input[name="next"]').inputValue(), '/profile')
  }
  await logIn('ada')
  await page.goto('/login?next=//evil.example')
  t.is(page.url(), `${service.url}/profile`)
})
