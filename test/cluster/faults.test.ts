import { setTimeout as delay } from 'node:timers/promises'
import type { SpawnedService } from '../helpers/spawn-service.js'
import { passwordOf } from '../helpers/with-service.js'
import { type Cluster, onCluster } from './with-cluster.js'

/** Checked requests at least; the long form is `CLUSTER_REQUESTS=200000`. */
const wantedRequests = Number(process.env.CLUSTER_REQUESTS ?? 4000)
const clients = 16
/** How long one fault lasts, and how long is waited until the next, in milliseconds. */
const faultMs = 2500

interface Key {
  apiKey: string
  token: string
  /** When the answer to its revocation had been read; `undefined` while it lives. */
  revokedAt: number | undefined
}

/** Uses the service through the load balancer like many clients, and knows what it may answer. */
class Checker {
  readonly violations: string[] = []
  readonly statuses = new Map<number, number>()
  readonly keys: Key[] = []
  requests = 0
  mints = 0
  revokes = 0
  /** Changes whose connection was closed instead of an answer. */
  closed = 0
  isOver = false
  /** Longest time between two answers 200 to a token that lives, in milliseconds. */
  longestGap = 0
  #lastGood = performance.now()
  readonly #url: string
  readonly #userId: number
  #headers: Record<string, string> = {}

  constructor(url: string, userId: number) {
    this.#url = url
    this.#userId = userId
  }

  async #send(method: string, path: string, init: RequestInit = {}): Promise<Response | undefined> {
    try {
      return await fetch(this.#url + path, { method, signal: AbortSignal.timeout(20_000), ...init })
    } catch (error) {
      // When a node dies in the middle of a change, HAProxy closes a kept connection of the client
      // without an answer (RFC 9112, section 9.3.1: the client may send it again, or ask what
      // happened). What only asks is sent to another node, and must be answered.
      if (method === 'GET') this.violations.push(`${path}: ${(error as Error).cause ?? error}`)
      else this.closed++
      return undefined
    }
  }

  /** Until the service answers something else than "not now". */
  async #insist(method: string, path: string, fields?: Record<string, string>): Promise<Response> {
    for (;;) {
      const body = fields ? new URLSearchParams(fields) : null
      const response = await this.#send(method, path, { headers: this.#headers, body })
      if (response) {
        this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1)
        if (response.status !== 503) return response
        await response.body?.cancel()
      }
      await delay(100)
    }
  }

  async logIn(): Promise<void> {
    const answer = await this.#insist('POST', '/login', {
      user_login: 'ada',
      password: passwordOf('ada'),
    })
    const { nonce } = (await answer.json()) as { nonce: string }
    const cookie = answer.headers.getSetCookie()[0]?.split(';')[0] ?? ''
    this.#headers = { Cookie: cookie, 'X-WP-Nonce': nonce }
  }

  async mint(): Promise<void> {
    const name = `Load ${this.mints++}`
    const minted = await this.#insist('POST', `/wp/v2/key-pair/${this.#userId}`, { name })
    if (minted.status !== 200) return void this.violations.push(`mint: ${await minted.text()}`)
    const { api_secret, row } = (await minted.json()) as {
      api_secret: string
      row: { api_key: string }
    }
    const pair = { api_key: row.api_key, api_secret }
    const answer = await this.#insist('POST', '/wp/v2/token', pair)
    const body = (await answer.json()) as { access_token: string }
    // An answered mint must never be lost.
    if (answer.status !== 200) {
      return void this.violations.push(`lost ${name}: ${JSON.stringify(body)}`)
    }
    this.keys.push({ apiKey: row.api_key, token: body.access_token, revokedAt: undefined })
  }

  async revokeOldest(): Promise<void> {
    const key = this.keys.find(({ revokedAt }) => revokedAt === undefined)
    if (!key) return
    const path = `/wp/v2/key-pair/${this.#userId}/${key.apiKey}/revoke`
    const answer = await this.#insist('DELETE', path)
    const text = await answer.text()
    // "false" where an earlier try, whose answer got lost, has done it already.
    if (answer.status !== 200) this.violations.push(`revoke: ${answer.status} ${text}`)
    key.revokedAt = performance.now()
    this.revokes++
  }

  async change(): Promise<void> {
    while (!this.isOver) {
      await this.mint()
      if (this.keys.filter(({ revokedAt }) => revokedAt === undefined).length > 20) {
        await this.revokeOldest()
      }
    }
  }

  async check(): Promise<void> {
    while (!this.isOver) {
      const recent = this.keys.slice(-60)
      const key = recent[Math.floor(Math.random() * recent.length)]
      if (!key) {
        await delay(10)
        continue
      }
      const began = performance.now()
      const wasRevoked = key.revokedAt !== undefined && key.revokedAt < began
      const response = await this.#send('GET', '/wp/v2/token/validate', {
        headers: { Authorization: `Bearer ${key.token}` },
      })
      if (!response) continue
      const text = await response.text()
      this.requests++
      this.statuses.set(response.status, (this.statuses.get(response.status) ?? 0) + 1)
      if (response.status === 200) {
        if (wasRevoked) this.violations.push(`${key.apiKey} was accepted after it was revoked`)
        this.longestGap = Math.max(this.longestGap, performance.now() - this.#lastGood)
        this.#lastGood = performance.now()
      } else if (response.status === 403) {
        const mayBe = key.revokedAt !== undefined || !text.includes('revoked_api_key')
        // Its revocation may be on the way: then it is known a moment later.
        if (!mayBe) await delay(500)
        if (!mayBe && key.revokedAt === undefined && !(await this.#isBeingRevoked(key))) {
          this.violations.push(`${key.apiKey} was refused while it lived: ${text}`)
        }
      } else if (response.status !== 503) {
        this.violations.push(`validate: ${response.status} ${text}`)
      } else await delay(20)
    }
  }

  /** The one that `revokeOldest` is busy with, for as long as a fault lasts. */
  async #isBeingRevoked(key: Key): Promise<boolean> {
    return this.keys.find(({ revokedAt }) => revokedAt === undefined) === key
  }
}

onCluster('no revoked key is accepted, whatever happens to the nodes', async (t, cluster) => {
  const services = await Promise.all([0, 1, 2].map((first) => cluster.start(first)))
  const ports = services.map(({ url }) => Number(new URL(url).port))
  const checker = new Checker(await cluster.balance(ports), cluster.user.id)
  await checker.logIn()
  for (let i = 0; i < 25; i++) await checker.mint()
  const work = [checker.change(), ...Array.from({ length: clients }, () => checker.check())]
  const faults = faultsOf(cluster, services, ports)
  try {
    for (let round = 0; checker.requests < wantedRequests || round < faults.length; round++) {
      const [name, fault] = faults[round % faults.length] ?? []
      await fault?.()
      t.log(
        `${name}: ${checker.requests} checked, longest gap ${Math.round(checker.longestGap)} ms`,
      )
      checker.longestGap = 0
      await delay(1000)
    }
  } finally {
    checker.isOver = true
    await Promise.all(work)
  }
  t.log(
    `${checker.requests} requests, ${checker.mints} mints, ${checker.revokes} revokes, ${checker.closed} closed`,
  )
  t.log(Object.fromEntries(checker.statuses))
  const errors = services.flatMap((node) => node.output().match(/.*"level":[56]0.*/g) ?? [])
  t.deepEqual(checker.violations, [], errors.join('\n'))
  t.true(checker.revokes > 0)
  t.true((checker.statuses.get(200) ?? 0) > wantedRequests / 4)
  // What was answered is what is there.
  const runtime = await cluster.runtime(0)
  const living = new Set(
    (await runtime.stores.keyPairs.listByUser(cluster.user.id)).map(({ apiKey }) => apiKey),
  )
  for (const key of checker.keys) t.is(living.has(key.apiKey), key.revokedAt === undefined)
})

function faultsOf(
  { galera, start }: Cluster,
  services: SpawnedService[],
  ports: number[],
): [string, () => Promise<void>][] {
  const [first, second, third] = galera.nodes
  return [
    [
      'a database server is killed',
      async () => {
        first.signal('SIGKILL')
        await delay(faultMs)
        await first.start()
      },
    ],
    [
      'a node is killed',
      async () => {
        await services[0]?.stop('SIGKILL')
        await delay(faultMs)
        services[0] = await start(0, ports[0])
      },
    ],
    [
      'a database server is paused',
      async () => {
        second.signal('SIGSTOP')
        await delay(faultMs)
        second.signal('SIGCONT')
        await second.untilSynced()
      },
    ],
    [
      'a node is paused',
      async () => {
        services[1]?.child.kill('SIGSTOP')
        await delay(faultMs)
        services[1]?.child.kill('SIGCONT')
      },
    ],
    [
      'a database server is cut off from the others',
      async () => {
        await third.query("set global wsrep_provider_options = 'gmcast.isolate=1'")
        await delay(faultMs)
        await third.query("set global wsrep_provider_options = 'gmcast.isolate=0'")
        await third.untilSynced()
      },
    ],
    [
      'a node is restarted',
      async () => {
        await services[2]?.stop('SIGTERM')
        services[2] = await start(2, ports[2])
      },
    ],
  ]
}
