import { createConnection, type Socket } from 'node:net'
import type { LoadRequest } from './load.js'

export interface OpenLoad {
  port: number
  /** Requests a second, whether they are answered or not. */
  rate: number
  seconds: number
  request: LoadRequest
  connections?: number
}

export interface OpenLoadResult {
  requests: number
  /** Answers other than 200. */
  refused: number
  /** Milliseconds from when a request was due to its answer. */
  p50: number
  p99: number
}

/**
 * Requests that know nothing of one another: they come at random, so many a second (a Poisson process), and do
 * not wait for the answers to others. A load that waits would spare a slow server, and one that comes in
 * bursts flatters a server that shares reads.
 */
export async function sendOpenLoad(load: OpenLoad): Promise<OpenLoadResult> {
  const { port, rate, seconds, request, connections = 256 } = load
  const text = textOf(request, port)
  const free: Socket[] = []
  const waiting: number[] = []
  const dueOf = new Map<Socket, number>()
  const times: number[] = []
  let refused = 0

  function onData(socket: Socket, chunk: Buffer): void {
    const due = dueOf.get(socket)
    // Answers are shorter than a packet; what follows the first part of one belongs to it.
    if (due === undefined) return
    dueOf.delete(socket)
    times.push(performance.now() - due)
    if (chunk.toString('latin1', 9, 12) !== '200') refused++
    const next = waiting.shift()
    if (next === undefined) free.push(socket)
    else send(socket, next)
  }

  function send(socket: Socket, due: number): void {
    dueOf.set(socket, due)
    socket.write(text)
  }

  const sockets = await Promise.all(Array.from({ length: connections }, () => connect(port)))
  for (const socket of sockets) {
    socket.on('data', (chunk) => onData(socket, chunk))
    free.push(socket)
  }
  const began = performance.now()
  const end = began + seconds * 1000
  const gap = () => (-Math.log(1 - Math.random()) / rate) * 1000
  let sent = 0
  for (let due = began + gap(); due < end; ) {
    for (const now = performance.now(); due <= now && due < end; due += gap()) {
      sent++
      const socket = free.pop()
      if (socket) send(socket, due)
      else waiting.push(due)
    }
    await turn(due - performance.now())
  }
  const deadline = performance.now() + 10_000
  while (times.length < sent && performance.now() < deadline) await turn(5)
  for (const socket of sockets) socket.destroy()
  if (times.length < sent) throw new Error(`${sent - times.length} requests were not answered`)
  times.sort((a, b) => a - b)
  const percentile = (share: number) => times[Math.floor(share * (times.length - 1))] ?? 0
  return { requests: sent, refused, p50: percentile(0.5), p99: percentile(0.99) }
}

/** Timers are exact to a millisecond; less is waited for by looking again. */
function turn(waitMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (waitMs > 1.5) setTimeout(resolve, waitMs - 1)
    else setImmediate(resolve)
  })
}

function connect(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = createConnection({ port, host: '127.0.0.1', noDelay: true })
    socket.once('connect', () => resolve(socket))
    socket.on('error', reject)
  })
}

function textOf({ method, path, headers, body = '' }: LoadRequest, port: number): string {
  const all = { Host: `127.0.0.1:${port}`, ...headers }
  const lines = Object.entries(all).map(([name, value]) => `${name}: ${value}\r\n`)
  return `${method} ${path} HTTP/1.1\r\n${lines.join('')}\r\n${body}`
}
