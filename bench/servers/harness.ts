import { createServer, type RequestListener, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a server under test tells the run that started it, over its IPC channel. */
export interface ServerStats {
  /** Seconds of CPU since the process began. */
  cpu: number
  /** Bytes. */
  rss: number
  queries: number
}

/** Serves on a port of its own, tells it, and answers questions about resources until killed. */
export function report(server: Server, data: object = {}, queries: () => number = () => 0): void {
  server.keepAliveTimeout = 65_000
  server.listen(0, '127.0.0.1', () => {
    process.send?.({ port: (server.address() as AddressInfo).port, ...data })
  })
  process.on('message', () => {
    const { user, system } = process.cpuUsage()
    const stats: ServerStats = {
      cpu: (user + system) / 1e6,
      rss: process.memoryUsage.rss(),
      queries: queries(),
    }
    process.send?.(stats)
  })
  process.on('disconnect', () => process.exit(0))
}

export function reportListener(listener: RequestListener, data: object = {}): void {
  report(createServer(listener), data)
}
