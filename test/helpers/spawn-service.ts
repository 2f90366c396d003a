import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Environment } from '../../src/config.js'
import { freePort } from './mariadb-server.js'
import { createSecretWatch } from './secret-watch.js'

export interface SpawnedService {
  /** Where it listens, e.g. `http://127.0.0.1:40123`. */
  url: string
  child: ChildProcess
  /** Everything the process has printed so far, on both channels. */
  output(): string
  fetch(path: string, init?: RequestInit): Promise<Response>
  /**
   * Ends it, gently unless another signal is given, and waits until it has gone.
   *
   * @returns Its exit code; `null` if the signal ended it.
   */
  stop(signal?: NodeJS.Signals): Promise<number | null>
}

const root = fileURLToPath(new URL('../..', import.meta.url))
const longestStart = 60_000

/** A test that fails half-way, or is interrupted, leaves no process behind. */
const running = new Set<ChildProcess>()
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL')
})

/**
 * Runs a program of the sources in a process of its own, away from this process's environment and
 * from a developer's `.env` file: nothing is configured but what `env` says.
 *
 * @param args For `twinkey`, e.g. `['serve']`.
 * @param folder The process's working directory, which is also where its data go.
 */
export function spawnTwinkey(
  args: readonly string[],
  env: Environment,
  folder: string,
): ChildProcess {
  const child = spawn(
    process.execPath,
    ['--import', import.meta.resolve('tsx'), join(root, 'src/cli/index.ts'), ...args],
    {
      cwd: folder,
      stdio: ['pipe', 'pipe', 'pipe'],
      env: { PATH: process.env.PATH, TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'), ...env },
    },
  )
  running.add(child)
  child.once('exit', () => running.delete(child))
  return child
}

/**
 * Starts the real server on a free port and waits until it is ready.
 *
 * @throws if it exits instead, with what it printed.
 */
export async function spawnService(
  env: Environment = {},
  args: readonly string[] = ['serve'],
): Promise<SpawnedService> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-service-'))
  const port = env.PORT ?? String(await freePort())
  const url = `http://127.0.0.1:${port}`
  const child = spawnTwinkey(
    args,
    { DATA_DIR: folder, LOG_LEVEL: 'warn', ...env, PORT: port },
    folder,
  )
  const watch = createSecretWatch()
  let output = ''
  let log = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk
    log += chunk
  })
  const exited = new Promise<number | null>((resolve, reject) => {
    child.once('close', (code) => {
      rmSync(folder, { recursive: true, force: true })
      const found = watch.foundIn(log)
      if (found.length > 0) reject(new Error(`Secrets in the log: ${found.join('…, ')}…`))
      resolve(code)
    })
  })
  const stop = (signal: NodeJS.Signals = 'SIGTERM') => {
    child.kill(signal)
    return exited
  }

  const deadline = Date.now() + longestStart
  const hasEnded = () => child.exitCode !== null || child.signalCode !== null
  // It answers before it says that it is ready, and heeds signals.
  const isReady = async () => output.includes('is ready at') && (await answers(url))
  while (hasEnded() || !(await isReady())) {
    if (hasEnded() || Date.now() > deadline) {
      await stop('SIGKILL')
      throw new Error(`The service did not start:\n${output}`)
    }
    await delay(25)
  }
  return {
    url,
    child,
    output: () => output,
    fetch(path, init) {
      watch.addRequest(init)
      return fetch(url + path, { redirect: 'manual', ...init })
    },
    stop,
  }
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(`${url}/healthz`)
    await response.body?.cancel()
    return response.ok
  } catch {
    // Nobody listens there yet.
    return false
  }
}
