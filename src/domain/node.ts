/** A process that serves, as it has registered itself. */
export interface ServingNode {
  /** Random, for each start. */
  id: string
  /** Of its machine, and its port. */
  name: string
  version: string
  /** Seconds since the Unix epoch. */
  startedAt: number
  /** Since its last sign of life, by the clock of the database. */
  silentMs: number
  /** How long its last strict read of a key's state took, in microseconds. */
  readMicros: number
}

/** Silent for longer, a node is not waited for. It gives a sign of life every two seconds. */
export const longestSilenceMs = 6000

/** What the nodes say about a key that was revoked. */
export interface Confirmation {
  /** How many there are. */
  nodes: number
  /** How many have looked the key up, just now, and refuse it. */
  refusing: number
  /** How many have looked it up and do not. */
  accepting: number
  /** The longest time in which one of them had looked it up. */
  slowestMicros: number
  /** The others. */
  silent: { name: string; silentMs: number }[]
}

/**
 * The answers of the nodes in a sentence.
 *
 * @param mayName Whether the reader may know what the nodes are called.
 */
export function confirmationText(confirmation: Confirmation, mayName: boolean): string {
  const { nodes, refusing, accepting, silent, slowestMicros } = confirmation
  const time = milliseconds(slowestMicros)
  const parts = [refusalText(nodes, refusing, time)]
  if (accepting > 0) parts.push(`${count(accepting)} would still accept it`)
  if (mayName) parts.push(...silent.map(({ name, silentMs }) => silence(name, silentMs)))
  else if (silent.length > 0) {
    const longest = Math.max(...silent.map(({ silentMs }) => silentMs))
    parts.push(silence(count(silent.length), longest))
  }
  return `${parts.join('; ')}.`
}

function refusalText(nodes: number, refusing: number, time: string): string {
  if (refusing === 0) return 'No node has said yet that it refuses it'
  if (nodes === 1) return `Refused after ${time}`
  const who = refusing === nodes ? `all ${nodes} nodes` : `${refusing} of ${nodes} nodes`
  return `Refused by ${who} after ${time}`
}

function silence(who: string, silentMs: number): string {
  const verb = /^\d+ nodes$/.test(who) ? 'have' : 'has'
  return `${who} ${verb} not answered for ${Math.max(1, Math.round(silentMs / 1000))} s`
}

const count = (nodes: number) => (nodes === 1 ? 'one node' : `${nodes} nodes`)

/** `0.4 ms`, `12 ms`. */
export function milliseconds(micros: number): string {
  const ms = micros / 1000
  return `${ms < 10 ? Math.max(0.1, ms).toFixed(1) : Math.round(ms)} ms`
}
