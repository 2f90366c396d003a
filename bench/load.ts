import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { findBinary } from '../test/helpers/binaries.js'

export interface LoadRequest {
  method: 'GET' | 'POST'
  path: string
  headers: Record<string, string>
  body?: string
}

export interface Load {
  port: number
  connections: number
  seconds: number
  /** Sent in turn, over and over. */
  requests: readonly LoadRequest[]
}

export interface LoadResult {
  requests: number
  /** Requests a second. */
  rate: number
  /** Milliseconds. */
  p50: number
  p99: number
  /** Answers other than 2xx. */
  refused: number
  /** Connections that broke, or requests without an answer. */
  errors: number
}

// autocannon is slower and sends one request at a time, which suits a server that wakes up for each.
const wrk = process.env.BENCH_LOADER === 'autocannon' ? undefined : findBinary('wrk')
export const loader = wrk ? 'wrk' : 'autocannon'

/** Sends requests from a process of its own, with one thread, for a time. */
export function sendLoad(load: Load): Promise<LoadResult> {
  return wrk ? sendWithWrk(wrk, load) : sendWithAutocannon(load)
}

async function sendWithWrk(binary: string, load: Load): Promise<LoadResult> {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-bench-'))
  const script = join(folder, 'load.lua')
  writeFileSync(script, luaScript(load.requests))
  try {
    const output = await run(binary, [
      '-t1',
      `-c${load.connections}`,
      `-d${load.seconds}s`,
      '--timeout=10s',
      '-s',
      script,
      `http://127.0.0.1:${load.port}/`,
    ])
    const line = /^RESULT (.*)$/m.exec(output)?.[1]
    if (!line) throw new Error(`wrk printed no result:\n${output}`)
    const [requests = 0, micros = 1, p50 = 0, p99 = 0, refused = 0, errors = 0] = line
      .split(' ')
      .map(Number)
    return {
      requests,
      rate: requests / (micros / 1e6),
      p50: p50 / 1000,
      p99: p99 / 1000,
      refused,
      errors,
    }
  } finally {
    rmSync(folder, { recursive: true })
  }
}

function luaScript(requests: readonly LoadRequest[]): string {
  const quote = (text: string) =>
    `"${text.replace(/[\\"]/g, '\\$&').replace(/\r/g, '\\r').replace(/\n/g, '\\n')}"`
  const lines = requests.map(({ method, path, headers, body }) => {
    const fields = Object.entries(headers).map(
      ([name, value]) => `[${quote(name)}]=${quote(value)}`,
    )
    const format = [quote(method), quote(path), `{${fields.join(',')}}`, body ? quote(body) : 'nil']
    return `  wrk.format(${format.join(',')}),`
  })
  // A function of Lua holds so many constants and no more.
  const parts = []
  for (let i = 0; i < lines.length; i += 1000) {
    parts.push(
      `parts[#parts + 1] = function() return {\n${lines.slice(i, i + 1000).join('\n')}\n} end`,
    )
  }
  return `
local parts = {}
${parts.join('\n')}
local requests = nil
local at = 0
request = function()
  if not requests then
    requests = {}
    for _, part in ipairs(parts) do
      for _, line in ipairs(part()) do requests[#requests + 1] = line end
    end
  end
  at = at % #requests + 1
  return requests[at]
end
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format("RESULT %d %d %d %d %d %d\\n", summary.requests, summary.duration,
    latency:percentile(50), latency:percentile(99), e.status, e.connect + e.read + e.write + e.timeout))
end
`
}

async function sendWithAutocannon(load: Load): Promise<LoadResult> {
  const program = `
    import { readFileSync } from 'node:fs'
    import autocannon from 'autocannon'
    const { port, connections, seconds, requests } = JSON.parse(readFileSync(0, 'utf8'))
    const result = await autocannon({
      url: 'http://127.0.0.1:' + port, connections, duration: seconds, requests,
    })
    console.log('RESULT ' + JSON.stringify(result))`
  const args = ['--input-type=module', '--eval', program]
  const result = await runLoader(args, load)
  return {
    requests: result.requests.total,
    rate: result.requests.total / result.duration,
    p50: result.latency.p50,
    p99: result.latency.p99,
    refused: result.non2xx,
    errors: result.errors + result.timeouts,
  }
}

/**
 * Runs a loader written in JavaScript, which is given its load on standard input.
 *
 * @returns What it prints behind `RESULT`.
 */
// biome-ignore lint/suspicious/noExplicitAny: each loader has its own words
export async function runLoader(args: string[], load: object): Promise<any> {
  const output = await run(process.execPath, args, JSON.stringify(load))
  return JSON.parse(/^RESULT (.*)$/m.exec(output)?.[1] ?? '{}')
}

function run(program: string, args: string[], input = ''): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] })
    child.stdin.end(input)
    let output = ''
    child.stdout.on('data', (chunk) => {
      output += chunk
    })
    child.stderr.on('data', (chunk) => {
      output += chunk
    })
    child.once('error', reject)
    child.once('exit', (code) => {
      if (code === 0) resolve(output)
      else reject(new Error(`${program} failed:\n${output}`))
    })
  })
}
