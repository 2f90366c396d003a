/**
 * `npm run pictures`: takes the pictures of the documentation anew, of the real pages with made-up data.
 * Needs Chromium.
 */
import { once } from 'node:events'
import { createServer } from 'node:http'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { chromium, type Page } from 'playwright-core'
import { loadConfig } from '../src/config.js'
import { operator } from '../src/domain/actor.js'
import { createRuntime, type Runtime } from '../src/runtime.js'
import { findBinary } from '../test/helpers/binaries.js'
import { freePort } from '../test/helpers/mariadb-server.js'

const day = 86_400
const password = 'a password for the picture'

/** Exchanges a day, today last, repeated as often as thirty days need. */
const pairs: {
  name: string
  /** Days since it was minted. */
  age: number
  /** Seconds since it was last used. */
  used?: number
  ip?: string
  exchanges?: number[]
  policy?: { expiresAt?: number; networks?: string[] }
}[] = [
  { name: 'Old laptop', age: 300 },
  {
    name: 'Grafana',
    age: 61,
    used: 200,
    ip: '2001:db8:42:ff::1',
    exchanges: [24, 24, 25, 24, 23, 24],
    policy: { networks: ['2001:db8:42::/48'] },
  },
  {
    name: 'Warehouse scanner',
    age: 44,
    used: 7300,
    ip: '198.51.100.23',
    exchanges: [18, 20, 6, 5, 12, 8, 4, 2, 1, 0],
  },
  { name: 'Mobile app (beta)', age: 33 },
  {
    name: 'Invoices export',
    age: 28,
    used: 21 * day,
    ip: '192.0.2.81',
    exchanges: [...new Array<number>(4).fill(0), 8, 6, 12, 10, ...new Array<number>(22).fill(0)],
  },
  {
    name: 'Backup script',
    age: 15,
    used: 32_500,
    ip: '203.0.113.7',
    exchanges: [1, 9, 1, 1, 1, 1, 1],
  },
  {
    name: 'CI runner',
    age: 8,
    used: 740,
    ip: '198.51.100.4',
    exchanges: [5, 2, 1, 0, 1, 2, 5, 8, 10, 4, 4, 12, 11, 9, 6],
    policy: { expiresAt: 82 * day },
  },
]

async function fill({ db, services, stores }: Runtime): Promise<void> {
  const now = services.now()
  const email = 'ada@example.com'
  const user = await services.users.create({ login: 'ada', email, password, role: 'administrator' })
  for (const { name, age, used, ip = null, exchanges = [], policy = {} } of pairs) {
    const { expiresAt, networks } = policy
    const { keyPair } = await services.keyPairs.mint(operator, user.id, name, {
      policy: {
        ...(expiresAt !== undefined && { expiresAt: now + expiresAt }),
        ...(networks && { networks }),
      },
    })
    await db('key_pairs')
      .where('id', keyPair.id)
      .update({
        created_at: now - age * day,
        last_used_at: used === undefined ? null : now - used,
        last_ip: ip,
      })
    const today = Math.floor(now / day)
    const usage = Array.from({ length: 30 }, (_, back) => ({
      keyPairId: keyPair.id,
      day: today - back,
      exchanges: exchanges.at(-1 - (back % exchanges.length)) ?? 0,
    }))
    await stores.keyPairUsage.add(usage.filter((part) => part.exchanges > 0))
    if (name === 'Old laptop') await services.keyPairs.revoke(operator, user.id, keyPair.apiKey)
  }
}

async function open(colorScheme: 'light' | 'dark', height: number): Promise<Page> {
  const viewport = { width: 1200, height }
  const context = await browser.newContext({ baseURL: url, viewport, colorScheme })
  const page = await context.newPage()
  await page.goto('/login')
  await page.getByLabel('Username').fill('ada')
  await page.getByLabel('Password').fill(password)
  await page.getByRole('button', { name: 'Log In' }).click()
  await page.waitForURL('**/profile')
  return page
}

async function take(page: Page, name: string): Promise<void> {
  await page.screenshot({ path: fileURLToPath(new URL(name, import.meta.url)) })
  await page.context().close()
}

const executablePath = findBinary('chromium')
if (!executablePath) throw new Error('Chromium is not installed')
const folder = mkdtempSync(join(tmpdir(), 'twinkey-pictures-'))
const port = await freePort()
const url = `http://localhost:${port}`
const config = loadConfig({ DATA_DIR: folder, PUBLIC_URL: url })
const logger = { debug() {}, info() {}, warn: console.warn, error: console.error }
const runtime = await createRuntime(config, { logger, migrate: true })
const server = createServer(runtime.listener).listen(port, 'localhost')
await once(server, 'listening')
const browser = await chromium.launch({
  executablePath,
  args: ['--no-sandbox', '--disable-gpu', '--disable-background-networking'],
})
try {
  await fill(runtime)
  await take(await open('light', 860), 'profile-light.png')
  const page = await open('dark', 760)
  await page.getByLabel('New key-pair').fill('Newsletter')
  await page.getByRole('button', { name: 'Add New' }).click()
  await page.getByRole('dialog').waitFor()
  await take(page, 'new-key-pair-dark.png')
} finally {
  await browser.close()
  server.closeAllConnections()
  server.close()
  await runtime.close()
  rmSync(folder, { recursive: true, force: true })
}
