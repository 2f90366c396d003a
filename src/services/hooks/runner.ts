import { ServiceError } from '../../errors.js'
import type { HookContext, HookName } from '../../hooks.js'
import type { Logger } from '../../logger.js'

/** Calls hooks so that none can take the service with it. */
export interface HookRunner {
  /**
   * @param call Gets what every hook gets beside its value.
   * @param check Turns what came back into what was to come. @throws {TypeError}
   * @throws {ServiceError} `rest_internal_error` if it throws or gives back something else,
   *   `rest_hook_timed_out` if it takes too long. Both are logged, with the hook's name.
   */
  run<Given, Wanted>(
    name: HookName,
    call: (context: HookContext) => Given | Promise<Given>,
    check: (given: Given) => Wanted,
  ): Promise<Wanted>
}

export interface HookRunnerDeps {
  logger: Logger
  timeoutMs: number
}

export function createHookRunner({ logger, timeoutMs }: HookRunnerDeps): HookRunner {
  return {
    async run(name, call, check) {
      try {
        return check(await withinLimit(call, timeoutMs))
      } catch (cause) {
        if (cause instanceof TimeLimitError) {
          logger.error({ hook: name, timeoutMs }, 'a hook took too long')
          throw new ServiceError('rest_hook_timed_out', { cause })
        }
        logger.error({ err: cause, hook: name }, 'a hook failed')
        throw new ServiceError('rest_internal_error', { cause })
      }
    },
  }
}

/** The time limit was over before the work was. */
export class TimeLimitError extends Error {
  override readonly name = 'TimeLimitError'
}

/**
 * @returns What `call` gives back in time. What it does afterwards is nobody's concern any more:
 *   neither its value nor its failure gets anywhere.
 * @throws {TimeLimitError}
 */
export async function withinLimit<Given>(
  call: (context: HookContext) => Given | Promise<Given>,
  timeoutMs: number,
): Promise<Given> {
  const controller = new AbortController()
  const work = call({ signal: controller.signal })
  if (!isThenable(work)) return work
  let timer: NodeJS.Timeout | undefined
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      const error = new TimeLimitError(`It took longer than ${timeoutMs} ms`)
      reject(error)
      controller.abort(error)
    }, timeoutMs)
  })
  try {
    return await Promise.race([work, limit])
  } finally {
    clearTimeout(timer)
  }
}

function isThenable<T>(value: T | PromiseLike<T>): value is PromiseLike<T> {
  return typeof (value as PromiseLike<T> | undefined)?.then === 'function'
}
