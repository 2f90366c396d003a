import { randomBytes } from 'node:crypto'
import { setTimeout as delay } from 'node:timers/promises'
import { type Confirmation, longestSilenceMs, type ServingNode } from '../domain/node.js'
import type { Logger } from '../logger.js'
import type { KeyStateStore } from '../store/key-states.js'
import type { NodeAnswer, NodeStore } from '../store/nodes.js'

export interface NodeService {
  /**
   * From now on this process is one of the nodes: it gives a sign of life every two seconds, and looks up
   * the keys that another node asks about. One that serves alone has nobody to tell.
   */
  join(node: Pick<ServingNode, 'name' | 'version'>): void
  /** The nodes that have given a sign of life within the last minute; none where one serves alone. */
  list(): Promise<ServingNode[]>
  /**
   * Asks every node what it says about a key, this one included. Each reads the key's state for itself,
   * as it would for a request that arrives now. They are asked by way of the database, since that is the one
   * place that all of them reach; how long a node took to find the question is not part of its time.
   *
   * @throws if this node cannot look it up itself.
   */
  confirmRefusal(apiKey: string): Promise<Confirmation>
  /** Signs off. */
  close(): Promise<void>
}

export interface NodeServiceDeps {
  store: NodeStore
  /** The read that checks are decided by, beside the one that they share: it is not one of theirs. */
  keyStates: Pick<KeyStateStore, 'read'>
  /** Whether other processes serve on the same database. */
  isShared: boolean
  logger: Logger
  /** How often a node looks for questions. */
  pollMs?: number
  beatMs?: number
  /** Longest wait for the other nodes. */
  answerMs?: number
}

/** Silent for longer, a node is forgotten. */
const forgottenMs = 60_000
/** No key looks like it: a read of it takes as long as that of one that was deleted. */
const noKey = '-'

export function createNodeService(deps: NodeServiceDeps): NodeService {
  const { store, keyStates, isShared, logger } = deps
  const { pollMs = 500, beatMs = 2000, answerMs = 2500 } = deps
  const id = randomBytes(12).toString('base64url')
  let own: Pick<ServingNode, 'name' | 'version'> | undefined
  let timer: NodeJS.Timeout | undefined
  let isClosed = false
  let isFailing = false
  let isKnown = false
  let running: Promise<void> | undefined
  let lastBeat = -Infinity
  let lastPurge = performance.now()

  /** Reads the state of a key as a request would have it read. */
  async function look(apiKey: string): Promise<NodeAnswer> {
    const began = performance.now()
    const [state] = await keyStates.read([apiKey])
    const readMicros = Math.round((performance.now() - began) * 1000)
    return { nodeId: id, isRefused: !state || state.revokedAt !== null, readMicros }
  }

  async function beat(): Promise<void> {
    const began = performance.now()
    if (!own || began - lastBeat < beatMs) return
    const { readMicros } = await look(noKey)
    await store.beat({ id, ...own, readMicros })
    isKnown = true
    lastBeat = began
    if (began - lastPurge < forgottenMs) return
    lastPurge = began
    await store.purge(forgottenMs)
  }

  async function answerOthers(): Promise<void> {
    for (const { checkId, apiKey } of await store.listOpen(id)) {
      await store.answer(checkId, await look(apiKey))
    }
  }

  async function tick(): Promise<void> {
    try {
      await beat()
      await answerOthers()
      isFailing = false
    } catch (err) {
      if (!isFailing)
        logger.warn({ err }, 'this node could not give a sign of life; will try again')
      isFailing = true
    }
  }

  function schedule(afterMs: number): void {
    if (isClosed) return
    timer = setTimeout(() => {
      running = tick().finally(() => schedule(pollMs))
    }, afterMs)
    timer.unref()
  }

  async function askOthers(apiKey: string): Promise<Pick<Confirmation, 'silent'> & Answers> {
    const others = (await store.list(forgottenMs)).filter((node) => node.id !== id)
    const asked = others.filter(({ silentMs }) => silentMs <= longestSilenceMs)
    const checkId = randomBytes(12).toString('base64url')
    let answers: NodeAnswer[] = []
    if (asked.length > 0) {
      await store.ask(
        { checkId, apiKey },
        asked.map((node) => node.id),
      )
      const deadline = performance.now() + answerMs
      while (answers.length < asked.length && performance.now() < deadline) {
        await delay(pollMs / 5)
        answers = await store.listAnswers(checkId)
      }
      await store.withdraw(checkId)
    }
    const answered = new Set(answers.map(({ nodeId }) => nodeId))
    const missing = others.filter((node) => !answered.has(node.id))
    if (missing.length === 0) return { answers, silent: [] }
    // One that has signed off meanwhile serves nobody.
    const left = new Map((await store.list(forgottenMs)).map((node) => [node.id, node]))
    const silent = missing.flatMap((node) => left.get(node.id) ?? [])
    return { answers, silent: silent.map(({ name, silentMs }) => ({ name, silentMs })) }
  }

  return {
    join(node) {
      if (!isShared) return
      own = node
      schedule(0)
    },

    list: () => store.list(forgottenMs),

    async confirmRefusal(apiKey) {
      const mine = await look(apiKey)
      const { answers, silent } = isShared ? await askOthers(apiKey) : { answers: [], silent: [] }
      const all = [mine, ...answers]
      const refusing = all.filter(({ isRefused }) => isRefused)
      return {
        nodes: all.length + silent.length,
        refusing: refusing.length,
        accepting: all.length - refusing.length,
        slowestMicros: Math.max(0, ...refusing.map(({ readMicros }) => readMicros)),
        silent,
      }
    },

    async close() {
      isClosed = true
      clearTimeout(timer)
      await running
      clearTimeout(timer)
      if (!isKnown || isFailing) return
      try {
        await store.remove(id)
      } catch (err) {
        logger.debug({ err }, 'this node could not sign off')
      }
    },
  }
}

interface Answers {
  answers: NodeAnswer[]
}
