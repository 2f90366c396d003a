import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Koa, { type Middleware } from 'koa'

/** Runs an application of somebody's own while `work` asks it, at `url`. */
export async function withApi<T>(
  middleware: readonly Middleware<any>[],
  work: (url: string) => Promise<T>,
): Promise<T> {
  const app = new Koa()
  for (const one of middleware) app.use(one)
  const server = createServer(app.callback())
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  try {
    return await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  } finally {
    server.close()
    server.closeAllConnections()
  }
}
