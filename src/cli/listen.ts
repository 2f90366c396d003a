import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'

/** An address cannot be listened on; the message says why. */
export class ListenError extends Error {
  override readonly name = 'ListenError'
}

interface Place {
  host: string
  port: number
}

/**
 * @param names Of the variables that say where, for the message.
 * @throws {ListenError}
 */
export function listenOn(
  server: Server,
  place: Place,
  names: Record<keyof Place, string> = { host: 'HOST', port: 'PORT' },
): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    const onError = (error: NodeJS.ErrnoException) => {
      reject(new ListenError(listenProblem(error, place, names), { cause: error }))
    }
    server.once('error', onError)
    server.listen(place.port, place.host, () => {
      server.removeListener('error', onError)
      resolve(server.address() as AddressInfo)
    })
  })
}

function listenProblem(
  { code, message }: NodeJS.ErrnoException,
  { host, port }: Place,
  names: Record<keyof Place, string>,
): string {
  switch (code) {
    case 'EADDRINUSE':
      return `Port ${port} of ${host} is in use. Stop the program that uses it, or set ${names.port}.`
    case 'EACCES':
      return `This user may not listen on port ${port}. Set ${names.port} to 1024 or more.`
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return `${names.host} is "${host}", which is no address of this machine. Set it to one, e.g. 127.0.0.1.`
    default:
      return `Port ${port} of ${host} cannot be listened on: ${message}`
  }
}
