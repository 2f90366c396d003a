import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { sendBytes, statusOf } from '../helpers/raw-request.js'
import { type SpawnedService, spawnService } from '../helpers/spawn-service.js'

// The time-outs and limits of the real server, shortened.

const most = 20
let service: SpawnedService

test.before('start a service', async () => {
  service = await spawnService({
    HEADERS_TIMEOUT_MS: '500',
    REQUEST_TIMEOUT_MS: '1000',
    MAX_CONNECTIONS: String(most),
  })
})
test.after.always('stop it', () => service?.stop())

/** Whatever is sent, a request that takes for ever is ended by the server. */
const patience = { timeout: 60_000 }

/** Sends a byte now and then, as slowly as it takes to hold a connection open. */
async function drip(head: string, text: string): Promise<string> {
  const { hostname, port } = new URL(service.url)
  const socket = connect(Number(port), hostname)
  let answer = ''
  socket.setEncoding('latin1')
  socket.on('data', (chunk) => {
    answer += chunk
  })
  // The server closes while we are still writing: that is what is to be seen.
  socket.on('error', () => socket.destroy())
  const closed = once(socket, 'close')
  socket.write(head)
  for (let i = 0; !socket.destroyed && i < 300; i++) {
    socket.write(text)
    await Promise.race([delay(100), closed])
  }
  const wasClosed = socket.destroyed
  socket.destroy()
  await closed
  return wasClosed ? answer : 'still open'
}

test.serial('a connection that says nothing is closed', async (t) => {
  t.is(statusOf(await sendBytes(service.url, '', patience)), 408)
})

test.serial('a head that does not end is 408, however it drips', async (t) => {
  const head = 'GET /wp-json/ HTTP/1.1\r\nHost: x\r\n'
  t.is(statusOf(await sendBytes(service.url, head, patience)), 408)
  t.is(statusOf(await drip(head, 'X-A: b\r\n')), 408)
  t.is(statusOf(await drip('', 'G')), 400, 'that is no method')
})

test.serial('a body that does not end is closed, however it drips', async (t) => {
  for (const path of ['/wp/v2/token', '/login', '/oauth2/token']) {
    for (const type of ['application/x-www-form-urlencoded', 'multipart/form-data; boundary=x']) {
      const head = `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: ${type}\r\n`
      for (const [length, text] of [
        ['Content-Length: 60000', 'a'],
        ['Transfer-Encoding: chunked', '1\r\na\r\n'],
      ]) {
        const answer = await drip(`${head}${length}\r\n\r\n`, text ?? '')
        t.not(answer, 'still open', `${path} ${type} ${length}`)
        t.true([0, 408].includes(statusOf(answer)), answer)
      }
    }
  }
})

test.serial('connections beyond the limit are closed, and those before are served', async (t) => {
  const { hostname, port } = new URL(service.url)
  const open: Socket[] = []
  /** @returns 0 if the server closes the connection instead. */
  function ask(socket: Socket): Promise<number> {
    return new Promise((resolve) => {
      socket.once('data', (chunk) => resolve(statusOf(String(chunk))))
      socket.once('close', () => resolve(0))
      socket.write('GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n')
    })
  }
  try {
    const statuses: number[] = []
    for (let i = 0; i < 2 * most; i++) {
      const socket = connect(Number(port), hostname)
      socket.on('error', () => socket.destroy())
      open.push(socket)
      statuses.push(await ask(socket))
    }
    // Others hold a connection, too: whoever waited until the service was ready.
    const served = statuses.filter((status) => status === 200).length
    t.true(served >= most / 2 && served <= most, statuses.join())
    t.deepEqual(new Set(statuses), new Set([200, 0]))
    t.is(await ask(open[0] as Socket), 200)
  } finally {
    for (const socket of open) socket.destroy()
  }
  for (let attempt = 0; attempt < 100; attempt++) {
    const bytes = 'GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'
    if (statusOf(await sendBytes(service.url, bytes, patience)) === 200) return t.pass()
    await delay(50)
  }
  t.fail('the service did not recover')
})

test.serial('the service has nothing to complain about', async (t) => {
  t.is((await service.fetch('/readyz')).status, 200)
  t.notRegex(service.output(), /"level":[56]0/)
})
