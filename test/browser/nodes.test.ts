import { createNodeService } from '../../src/services/nodes.js'
import { closeBrowserAfterwards, inBrowser, rowOf, rows, type Visit } from '../helpers/browser.js'

closeBrowserAfterwards()

/** Two nodes beside the service; on an embedded database it knows of no others. */
async function withNodes({ service }: Visit, work: () => Promise<void>): Promise<void> {
  const { stores } = service.runtime
  const logger = { debug() {}, info() {}, warn() {}, error() {}, fatal() {} } as never
  const nodes = ['one:8080', 'two:8080'].map((name) => {
    const { keyStates } = stores
    // Often, so that a busy machine still lets them answer in time.
    const often = { pollMs: 50, beatMs: 250 }
    const deps = { store: stores.nodes, keyStates, isShared: true, logger, ...often }
    const node = createNodeService(deps)
    node.join({ name, version: '1.0.0' })
    return node
  })
  try {
    while ((await stores.nodes.list(60_000)).length < 2)
      await new Promise((go) => setTimeout(go, 20))
    await work()
  } finally {
    for (const node of nodes) await node.close()
  }
}

/** A node that has not been heard of for a quarter of a minute. */
async function addSilentNode({ runtime }: Visit['service']): Promise<void> {
  const { db, stores } = runtime
  await stores.nodes.beat({ id: 'silent', name: 'db3-node', version: '1', readMicros: 1 })
  await db('nodes').where({ id: 'silent' }).decrement('seen_at', 15_000)
}

for (const javaScriptEnabled of [true, false]) {
  inBrowser(
    `${javaScriptEnabled ? 'with' : 'without'} script, all nodes are asked after a revocation`,
    async (t, visit) => {
      const { service, page, logIn, assertAccessible } = visit
      const ada = await service.createUser('ada', 'administrator')
      await service.mint(ada.id, 'First')
      await service.mint(ada.id, 'Second')
      const revoke = async (name: string) => {
        await rowOf(page, name).getByRole('button', { name: 'Revoke' }).click()
        const place = javaScriptEnabled ? page.getByRole('dialog') : page.locator('main')
        await place.getByRole('button', { name: 'Revoke' }).click()
      }
      const banner = page.locator('[data-banner]')
      const isShared = service.dialect.name === 'MariaDB'
      await withNodes(visit, async () => {
        await logIn('ada')
        await revoke('First')
        const all = isShared
          ? /Refused by all 3 nodes after [\d.]+ ms\.$/
          : /Refused after [\d.]+ ms\.$/
        await banner.getByText(all).waitFor()
        t.is(await rows(page).count(), 1)
        // axe is a script.
        if (javaScriptEnabled) await assertAccessible('all nodes refuse')
        await addSilentNode(service)
        await revoke('Second')
        const some =
          /Refused by 3 of 4 nodes after [\d.]+ ms; db3-node has not answered for \d+ s\.$/
        await banner.getByText(isShared ? some : all).waitFor()
        if (javaScriptEnabled) {
          const said = page.locator('#live').getByText('Key-pair Second revoked. Refused')
          await said.waitFor({ state: 'attached' })
        }
      })
    },
    { javaScriptEnabled },
  )
}
