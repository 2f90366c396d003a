import type { Actions, EventName, Events } from '../../hooks.js'
import type { Logger } from '../../logger.js'
import { withinLimit } from './runner.js'

/** Tells the operator's code what has happened, after the fact. */
export interface Emitter {
  /** Whether anybody wants to know of any of these. */
  wants(...names: EventName[]): boolean
  /** Returns at once; what the action does, and whether it fails, is no concern of the caller's. */
  emit<Name extends EventName>(name: Name, event: Events[Name]): void
  /** Waits for what is under way, for a while. */
  close(): Promise<void>
}

/** Longest that an action may take; then it counts as failed. */
const actionMs = 30_000
/** Longest that the service waits for actions when it stops. */
const closingMs = 5000
/** Most that may be under way: whoever attacks can cause more than anybody can be told of. */
const maxUnderWay = 1000

export function createEmitter(actions: Partial<Actions>, logger: Logger): Emitter {
  const underWay = new Set<Promise<void>>()
  let isDropping = false

  async function tell<Name extends EventName>(name: Name, event: Events[Name]): Promise<void> {
    const action = actions[name]
    if (!action) return
    // The answer goes first.
    await new Promise((resolve) => setImmediate(resolve))
    try {
      await withinLimit((context) => action(event, context), actionMs)
    } catch (err) {
      logger.error({ err, action: name }, 'an action failed')
    }
  }

  return {
    wants: (...names) => names.some((name) => actions[name] !== undefined),

    emit(name, event) {
      if (!actions[name]) return
      if (underWay.size >= maxUnderWay) {
        if (!isDropping)
          logger.warn({ action: name }, 'too many actions are under way; some are left out')
        isDropping = true
        return
      }
      isDropping = false
      const work = tell(name, event).finally(() => underWay.delete(work))
      underWay.add(work)
    },

    async close() {
      if (underWay.size === 0) return
      let timer: NodeJS.Timeout | undefined
      const limit = new Promise((resolve) => {
        timer = setTimeout(resolve, closingMs)
      })
      await Promise.race([Promise.all(underWay), limit])
      clearTimeout(timer)
      if (underWay.size > 0) logger.warn({ count: underWay.size }, 'actions were cut short')
    },
  }
}
