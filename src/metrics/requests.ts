import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import type { IncomingMessage, Server, ServerResponse } from 'node:http'
import { createHistogram, type Histogram, observe } from '../domain/histogram.js'
import { type RouteLabel, routeLabel } from './routes.js'

export interface RequestMeasures {
  /** Seconds from a request's headers to its answer's last byte, by route and class of status. */
  seconds(): readonly { label: RouteLabel; statusClass: string; histogram: Histogram }[]
  close(): void
}

const bounds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10]
const begin = Symbol('began')

interface Begun extends IncomingMessage {
  [begin]?: number
}

/**
 * Watches a server by Node's diagnostics channels: nothing is wrapped around a handler, and nothing is
 * allocated for a request but the moment at which it began.
 */
export function measureRequests(server: Server): RequestMeasures {
  /** By label and then by the first digit of the status; labels are few, and always the same objects. */
  const histograms = new Map<RouteLabel, (Histogram | undefined)[]>()

  function histogramOf(label: RouteLabel, digit: number): Histogram {
    const known = histograms.get(label)?.[digit]
    if (known) return known
    const byStatus = histograms.get(label) ?? []
    const made = createHistogram(bounds)
    byStatus[digit] = made
    histograms.set(label, byStatus)
    return made
  }

  function onStart(message: unknown): void {
    const event = message as { server: Server; request: Begun }
    if (event.server === server) event.request[begin] = performance.now()
  }

  function onFinish(message: unknown): void {
    const event = message as { server: Server; request: Begun; response: ServerResponse }
    const began = event.request[begin]
    if (event.server !== server || began === undefined) return
    const label = routeLabel(event.request.url ?? '')
    const digit = Math.floor(event.response.statusCode / 100)
    observe(histogramOf(label, digit), (performance.now() - began) / 1000)
  }

  subscribe('http.server.request.start', onStart)
  subscribe('http.server.response.finish', onFinish)
  return {
    seconds: () =>
      [...histograms].flatMap(([label, byStatus]) =>
        byStatus.flatMap((histogram, digit) =>
          histogram ? [{ label, statusClass: `${digit}xx`, histogram }] : [],
        ),
      ),
    close() {
      unsubscribe('http.server.request.start', onStart)
      unsubscribe('http.server.response.finish', onFinish)
    },
  }
}
