import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import test from 'ava'
import { type Flaw, pair, startCareless } from './careless-server.js'

async function run(args: readonly string[], env: Record<string, string> = {}) {
  const child = spawn(process.execPath, ['--import=tsx', 'attack/run.ts', ...args], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const [out, err, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ])
  return { out, err, code: code as number }
}

const credentials = { API_KEY: pair.api_key, API_SECRET: pair.api_secret }

async function onCareless(flaw: Flaw | undefined, args: readonly string[], env = credentials) {
  const server = await startCareless(flaw)
  try {
    return await run([server.url, ...args], env)
  } finally {
    await server.close()
  }
}

test('a finding is printed, and is the exit code', async (t) => {
  const { out, err, code } = await onCareless('verifies nothing', ['--only', 'cve-2025-30144'])
  t.is(code, 1, err)
  t.regex(out, /^attack +expectation +seen +verdict\n/m)
  t.regex(out, /^CVE-2025-30144 \(fast-jwt\) +refused +accepted ×10 +FINDING$/m)
  t.regex(out, /at users\/me: accepted/)
  t.regex(out, /^1 FINDING$/m)
  t.false((out + err).includes(pair.api_secret))
})

test('without one it is 0, and JSON is JSON', async (t) => {
  const { out, code, err } = await onCareless(undefined, ['--only', 'CVE-2025', '--json'])
  t.is(code, 0, err)
  t.deepEqual(
    JSON.parse(out).map(({ verdict }: { verdict: string }) => verdict),
    ['holds', 'holds'],
  )
})

test('a deployment that cannot be attacked is 2', async (t) => {
  const wrong = await onCareless(undefined, [], { ...credentials, API_SECRET: 'wrong-secret' })
  t.is(wrong.code, 2)
  t.regex(wrong.err, /^The key-pair was refused: 403/m)
  t.false(wrong.err.includes('wrong-secret'))
  const nobody = await run(['http://127.0.0.1:1'])
  t.is(nobody.code, 2)
  t.regex(nobody.err, /ECONNREFUSED/)
  const nowhere = await run(['twinkey.sample.org'])
  t.is(nowhere.code, 2)
  t.regex(nowhere.err, /^Usage: npm run attack/m)
})
