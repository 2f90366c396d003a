/** How often something may happen. */
export interface RateLimit {
  quota: number
  /** Seconds, counted from the first time. */
  window: number
}

const secondsOf: Record<string, number> = { s: 1, m: 60, h: 3600, d: 86_400 }

const longestWindow = 30 * 86_400

/**
 * Reads a limit as people write it: `10/15m` is ten in fifteen minutes.
 *
 * @returns `'off'` for `0` or `off`; `undefined` if it is neither.
 */
export function parseRateLimit(text: string): RateLimit | 'off' | undefined {
  if (/^(?:0|off)$/i.test(text)) return 'off'
  const [, quota = '', count = '1', unit = ''] =
    /^([1-9]\d{0,6})\/([1-9]\d{0,5})?([smhd])$/.exec(text) ?? []
  const window = Number(count) * (secondsOf[unit] ?? Number.NaN)
  return window <= longestWindow ? { quota: Number(quota), window } : undefined
}

/**
 * What is counted as one address. A subscriber of IPv6 has at least a /64, and so 2^64 addresses to
 * choose from; IPv4 written as IPv6 is IPv4.
 *
 * @param address As `isIP` of node:net has it, without a zone.
 * @returns E.g. `203.0.113.7`, or `2001:db8:0:1::/64`.
 */
export function networkOf(address: string): string {
  if (!address.includes(':')) return address
  const groups = groupsOf(address)
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
  if (isMapped) {
    const bytes = groups.slice(6).flatMap((group) => [group >> 8, group & 0xff])
    return bytes.join('.')
  }
  const prefix = groups.slice(0, 4).map((group) => group.toString(16))
  return `${prefix.join(':')}::/64`
}

/** The eight groups of an IPv6 address. */
function groupsOf(address: string): number[] {
  // The URL parser writes a dotted tail in hexadecimal, and everything in lower case.
  const plain = new URL(`http://[${address}]`).hostname.slice(1, -1)
  const [head = '', tail] = plain.split('::')
  const read = (part: string) => part.split(':').filter((group) => group !== '')
  const before = read(head)
  const after = tail === undefined ? [] : read(tail)
  const zeros = Array.from({ length: 8 - before.length - after.length }, () => '0')
  return [...before, ...zeros, ...after].map((group) => Number.parseInt(group, 16))
}
