import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import test, { type ExecutionContext } from 'ava'
import { type Browser, type BrowserContext, chromium, type Page } from 'playwright-core'
import type { Environment } from '../../src/config.js'
import { findBinary } from './binaries.js'
import { dialects } from './dialects.js'
import { passwordOf, type Service, startService } from './with-service.js'

const executablePath = findBinary('chromium')
const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8')

export interface Visit {
  service: Service
  context: BrowserContext
  page: Page
  /** Logs in through the form and waits for the profile. */
  logIn(login: string, page?: Page): Promise<void>
  /** Asserts that axe-core finds nothing wrong with what is on the screen. */
  assertAccessible(state: string, page?: Page): Promise<void>
}

export interface VisitOptions {
  javaScriptEnabled?: boolean
  viewport?: { width: number; height: number }
  timezoneId?: string
  /** By which name the service is reached; passkeys need one. */
  host?: 'localhost'
}

let running: Promise<Browser> | undefined

function browser(): Promise<Browser> {
  running ??= chromium.launch({
    executablePath: executablePath as string,
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      '--no-first-run',
    ],
  })
  return running
}

/** Call once in each file: closes the browser that its tests share. */
export function closeBrowserAfterwards(): void {
  test.after.always('close the browser', async () => (await running)?.close())
}

/**
 * Registers a test in a real browser once a database, each with a service and a profile of its own.
 * Fails also on whatever a page throws, on a refusal by its content security policy, and on a request
 * to any other host.
 */
export function inBrowser(
  title: string,
  implementation: (t: ExecutionContext, visit: Visit) => Promise<void>,
  { host, ...options }: VisitOptions = {},
  env?: Environment,
): void {
  for (const dialect of dialects) {
    const register = executablePath && dialect.isAvailable ? test.serial : test.skip
    register(`${dialect.name}: ${title}`, async (t) => {
      t.timeout(90_000)
      const service = await startService(dialect, env, host && { host })
      const context = await (await browser()).newContext({
        baseURL: service.url,
        viewport: { width: 1280, height: 900 },
        ...options,
      })
      const problems = watch(context, service.url)
      try {
        context.setDefaultTimeout(10_000)
        const page = await context.newPage()
        await implementation(t, createVisit(t, service, context, page))
        t.deepEqual(problems, [])
        t.false(service.log().includes('"level":50'), service.log())
      } finally {
        await context.close()
        await service.close()
      }
    })
  }
}

function watch(context: BrowserContext, url: string): string[] {
  const problems: string[] = []
  context.on('weberror', (error) => problems.push(String(error.error())))
  context.on('console', (message) => {
    if (/content security policy/i.test(message.text())) problems.push(message.text())
  })
  context.on('request', (request) => {
    if (!/^(?:data|blob):/.test(request.url()) && !request.url().startsWith(`${url}/`)) {
      problems.push(`request to ${request.url()}`)
    }
  })
  return problems
}

function createVisit(
  t: ExecutionContext,
  service: Service,
  context: BrowserContext,
  page: Page,
): Visit {
  return {
    service,
    context,
    page,
    async logIn(login, at = page) {
      await at.goto('/login')
      await at.getByLabel('Username').fill(login)
      await at.getByLabel('Password').fill(passwordOf(login))
      await at.getByRole('button', { name: 'Log In' }).click()
      await at.waitForURL('**/profile')
    },
    async assertAccessible(state, at = page) {
      await at.evaluate(axe)
      const found = (await at.evaluate('axe.run(document, { resultTypes: ["violations"] })')) as {
        violations: { id: string; nodes: { html: string }[] }[]
      }
      t.deepEqual(
        found.violations.map(({ id, nodes }) => `${id}: ${nodes.map((node) => node.html).join()}`),
        [],
        state,
      )
    },
  }
}

/** The table's rows without its head, newest first. */
export const rows = (page: Page) => page.locator('#key-pairs tbody tr')

export const rowOf = (page: Page, name: string) =>
  rows(page).filter({ has: page.locator('.pair-name', { hasText: name }) })

/** Mints with the form and leaves the dialog open. */
export async function mint(page: Page, name: string): Promise<{ key: string; secret: string }> {
  await page.getByLabel('New key-pair').fill(name)
  await page.getByRole('button', { name: 'Add New' }).click()
  const dialog = page.getByRole('dialog')
  await dialog.waitFor()
  const codes = await dialog.locator('.copyable').allTextContents()
  return { key: codes[0] ?? '', secret: codes[1] ?? '' }
}

/** Waits until an element has the focus; fails if it never gets it. */
export const focused = (page: Page, id: string) =>
  page.locator(`[id="${id}"]:focus`).waitFor({ state: 'attached' })
