import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { type AddressInfo, connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { type SpawnedService, spawnService } from '../helpers/spawn-service.js'
import { runCli } from './run-cli.js'

async function logIn(service: SpawnedService, password: string): Promise<number> {
  const response = await service.fetch('/login', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify({ user_login: 'admin', password }),
  })
  await response.body?.cancel()
  return response.status
}

test('the first start prints the password of admin, once, and only if it starts', async (t) => {
  const DATA_DIR = mkdtempSync(join(tmpdir(), 'twinkey-cli-'))
  try {
    const occupant = createServer().listen(0, '127.0.0.1')
    await once(occupant, 'listening')
    const { port } = occupant.address() as AddressInfo
    const failed = await runCli(['serve'], {
      env: { DATA_DIR, PORT: `${port}`, LOG_LEVEL: 'warn' },
    })
    occupant.close()
    t.deepEqual([failed.code, failed.stdout], [1, ''])
    t.is(
      failed.stderr,
      `twinkey: Port ${port} of 127.0.0.1 is in use. Stop the program that uses it, or set PORT.\n`,
    )

    const first = await spawnService({ DATA_DIR })
    for (let i = 0; i < 200 && !first.output().includes('shown this once'); i++) await delay(25)
    const [, password = ''] =
      /Username {2}admin\n +Password {2}(\S{24})\n/.exec(first.output()) ?? []
    t.is(await logIn(first, password), 200)
    t.is(await first.stop(), 0)

    const second = await spawnService({ DATA_DIR })
    t.is(await logIn(second, password), 200)
    t.is(await second.stop('SIGINT'), 0)
    t.regex(second.output(), /Twinkey is ready at http:\/\/localhost:\d+\n/)
    t.notRegex(second.output(), /Password/)
  } finally {
    rmSync(DATA_DIR, { recursive: true, force: true })
  }
})

test('stopping answers what is under way and waits for no idle connection', async (t) => {
  const service = await spawnService()
  const agent = new Agent({ keepAlive: true })
  const body = JSON.stringify({ user_login: 'nobody', password: 'wrong password' })
  // Asked to, the server says when it has a request and waits for its body.
  const headers = {
    'Content-Type': 'application/json',
    'Content-Length': String(body.length),
    Expect: '100-continue',
  }
  const sent = request(`${service.url}/login`, { method: 'POST', agent, headers })
  sent.flushHeaders()
  await once(sent, 'continue')
  await (await service.fetch('/healthz')).text()

  const begun = Date.now()
  const exited = service.stop()
  await delay(200)
  sent.end(body)
  const [answer] = (await once(sent, 'response')) as [IncomingMessage]
  t.is(answer.statusCode, 401)
  answer.resume()
  t.is(await exited, 0, service.output())
  // Not at the deadline that is there for requests that never end.
  t.true(Date.now() - begun < 8000)
  agent.destroy()
})

test('a second signal ends it at once', async (t) => {
  const service = await spawnService()
  const { port } = new URL(service.url)
  const socket = connect(Number(port), '127.0.0.1')
  socket.on('error', () => undefined)
  // The rest of this body never comes, so the answer is under way for long.
  socket.write(
    'POST /login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 99\r\n\r\n{',
  )
  await delay(300)
  service.child.kill('SIGTERM')
  // The same keystroke, once more: not yet a second one.
  service.child.kill('SIGTERM')
  await delay(1000)
  t.is(service.child.exitCode, null)
  t.is(await service.stop('SIGTERM'), 128 + 15)
  socket.destroy()
})
