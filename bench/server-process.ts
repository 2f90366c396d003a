import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { ServerInfo, ServerSpec } from './scenarios.js'
import type { ServerStats } from './servers/harness.js'

/** A server under test, in a process of its own. */
export interface ServerProcess {
  info: ServerInfo
  stats(): Promise<ServerStats>
  stop(): void
}

/** Starts a server from the build, and waits until it has filled its database and listens. */
export async function startServer(spec: ServerSpec, databaseUrl: string): Promise<ServerProcess> {
  const args = spec.seed
    ? [JSON.stringify({ ...spec.seed, databaseUrl })]
    : [spec.argument ?? '', databaseUrl]
  const path = fileURLToPath(new URL(`../dist/bench/servers/${spec.module}.js`, import.meta.url))
  const child = fork(path, args, { execArgv: [], env: { ...process.env, NODE_ENV: 'production' } })
  return {
    info: await answer<ServerInfo>(child),
    stats() {
      const stats = answer<ServerStats>(child)
      child.send('stats')
      return stats
    },
    stop: () => child.disconnect(),
  }
}

async function answer<T>(child: ChildProcess): Promise<T> {
  const settled = new AbortController()
  const { signal } = settled
  try {
    const [message] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A server ended with code ${code}`)
      }),
    ])
    return message as T
  } finally {
    settled.abort()
  }
}
