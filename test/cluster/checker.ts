import { setTimeout as delay } from 'node:timers/promises'
import { passwordOf } from '../helpers/with-service.js'

interface Key {
  apiKey: string
  token: string
  /** When the answer to its revocation had been read; `undefined` while it lives. */
  revokedAt: number | undefined
}

/** Uses the service through the load balancer like many clients, and knows what it may answer. */
export class Checker {
  readonly violations: string[] = []
  readonly statuses = new Map<number, number>()
  readonly keys: Key[] = []
  requests = 0
  mints = 0
  revokes = 0
  rotations = 0
  isOver = false
  /** Longest time between two answers 200 to a token that lives, in milliseconds. */
  longestGap = 0
  #lastGood = performance.now()
  readonly #url: string
  readonly #checkedUrl: string
  readonly #userId: number
  #headers: Record<string, string> = {}

  /** @param checkedUrl Where tokens are checked, if it is not where changes are made. */
  constructor(url: string, userId: number, checkedUrl = url) {
    this.#url = url
    this.#checkedUrl = checkedUrl
    this.#userId = userId
  }

  async #send(
    method: string,
    path: string,
    init: RequestInit = {},
    url = this.#url,
  ): Promise<Response | undefined> {
    try {
      return await fetch(url + path, { method, signal: AbortSignal.timeout(20_000), ...init })
    } catch (error) {
      // Whatever happens to the nodes: who asks is answered.
      this.violations.push(`${method} ${path}: ${(error as Error).cause ?? error}`)
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

  async #mintPair(name: string): Promise<{ api_key: string; api_secret: string } | undefined> {
    const minted = await this.#insist('POST', `/wp/v2/key-pair/${this.#userId}`, { name })
    if (minted.status !== 200) {
      this.violations.push(`mint: ${await minted.text()}`)
      return undefined
    }
    const { api_secret, row } = (await minted.json()) as {
      api_secret: string
      row: { api_key: string }
    }
    return { api_key: row.api_key, api_secret }
  }

  async mint(): Promise<void> {
    const name = `Load ${this.mints++}`
    const pair = await this.#mintPair(name)
    if (!pair) return
    const answer = await this.#insist('POST', '/wp/v2/token', pair)
    const body = (await answer.json()) as { access_token: string }
    // An answered mint must never be lost.
    if (answer.status !== 200) {
      return void this.violations.push(`lost ${name}: ${JSON.stringify(body)}`)
    }
    this.keys.push({ apiKey: pair.api_key, token: body.access_token, revokedAt: undefined })
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

  /**
   * A device of its own that refreshes, twice with each token and at the same time: all answers must be
   * the same successor, and the chain must never end.
   */
  async rotate(name: string): Promise<void> {
    const pair = await this.#mintPair(name)
    if (!pair) return
    const started = await this.#insist('POST', '/wp/v2/token', { ...pair, device: name })
    let token = ((await started.json()) as { refresh_token: string }).refresh_token
    const refresh = () => this.#insist('POST', '/wp/v2/token', { refresh_token: token })
    for (let isLast = false; !isLast; ) {
      isLast = this.isOver
      const answers = await Promise.all([refresh(), refresh()])
      const successors = new Set<string>()
      for (const answer of answers) {
        const body = (await answer.json()) as { refresh_token?: string }
        if (answer.status === 200) successors.add(body.refresh_token ?? '')
        else this.violations.push(`${name}: ${answer.status} ${JSON.stringify(body)}`)
      }
      const [successor] = successors
      if (successor === undefined) return
      if (successors.size > 1) this.violations.push(`${name}: the chain is forked`)
      token = successor
      this.rotations++
      await delay(50)
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
      const headers = { Authorization: `Bearer ${key.token}` }
      const path = '/wp/v2/token/validate'
      const response = await this.#send('GET', path, { headers }, this.#checkedUrl)
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
