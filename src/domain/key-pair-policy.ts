import { BlockList, isIP, SocketAddress } from 'node:net'
import { textProblem } from './text.js'

/** What limits a key-pair, beyond its user's being alive and active. */
export interface KeyPairPolicy {
  /** Seconds since the Unix epoch; from then on it is dead. `null`: it does not expire. */
  expiresAt: number | null
  /** The most that its tokens may do; `null`: everything. */
  scopes: readonly string[] | null
  /** Where it and its tokens may be used from, as CIDR; `null`: everywhere. */
  networks: readonly string[] | null
  /** Whether it may be exchanged for the tokens of a device only, whose refresh tokens rotate. */
  requireDevice: boolean
  /** For people. */
  description: string
}

/** A permission that the administrator has defined, e.g. `orders:read`. */
export interface DefinedScope {
  name: string
  /** For whoever chooses among them. */
  description: string
}

/** What a key-pair has unless its owner says otherwise: nothing limits it. */
export const openPolicy: KeyPairPolicy = {
  expiresAt: null,
  scopes: null,
  networks: null,
  requireDevice: false,
  description: '',
}

/** What the profile page and the command line offer, in days. */
export const lifetimePresets = [7, 30, 60, 90, 365] as const

export const secondsPerDay = 86_400
export const maxDescriptionLength = 1000
export const maxScopes = 50
export const maxNetworks = 50
/** Two secrets of one pair are good for at most thirty days. */
export const maxOverlap = 30 * secondsPerDay
/** 31 December 9999: later moments have no common way of being written. */
export const lastMoment = 253_402_300_799
/** Narrower than RFC 6749, section 3.3, so that it fits any header, shell and configuration file. */
export const scopeNamePattern = /^[A-Za-z0-9][A-Za-z0-9_.:/-]{0,63}$/

export interface PolicyBounds {
  now: number
  /** When the pair was made; equal to `now` for one that is being minted. */
  createdAt: number
  /** What it has so far; `undefined` for one that is being minted. */
  current: KeyPairPolicy | undefined
  defined: readonly DefinedScope[]
  /** Longest life that this person may give it, in seconds; `undefined`: any. */
  maxLifetime: number | undefined
}

/**
 * The parameters of a policy that somebody asks for, by what is wrong with them. Empty: nothing is.
 *
 * @param policy Only what is to be set; what is absent stays as it is.
 */
export function policyProblems(
  policy: Partial<KeyPairPolicy>,
  bounds: PolicyBounds,
): Record<string, string> {
  const { expiresAt, scopes, networks, description } = policy
  const problems: [string, string | undefined][] = [
    ['expires_at', expiresAt === undefined ? undefined : expiryProblem(expiresAt, bounds)],
    ['scopes', scopes ? scopesProblem(scopes, bounds.defined) : undefined],
    ['networks', networks ? networksProblem(networks) : undefined],
    ['description', description && textProblem(description, maxDescriptionLength)],
  ]
  return Object.fromEntries(
    problems.filter((entry): entry is [string, string] => Boolean(entry[1])),
  )
}

function expiryProblem(expiresAt: number | null, bounds: PolicyBounds): string | undefined {
  const { now, createdAt, current, maxLifetime } = bounds
  // A form sends back what it was given; an expiry that has passed may stay what it is.
  if (current && expiresAt === current.expiresAt) return undefined
  if (expiresAt !== null) {
    if (!Number.isSafeInteger(expiresAt)) return 'must be a time in seconds'
    if (expiresAt <= now) return 'must be in the future'
    if (expiresAt > lastMoment) return 'must be before the year 10000'
  }
  if (maxLifetime === undefined) return undefined
  // To shorten a life is always allowed, also where it is longer than new ones may be.
  const latest = Math.max(createdAt + maxLifetime, current ? (current.expiresAt ?? Infinity) : 0)
  if ((expiresAt ?? Infinity) <= latest) return undefined
  const days = Math.floor(maxLifetime / secondsPerDay)
  return `must be at most ${days} ${days === 1 ? 'day' : 'days'} after the key-pair was minted`
}

function scopesProblem(
  scopes: readonly string[],
  defined: readonly DefinedScope[],
): string | undefined {
  if (defined.length === 0) return 'cannot be chosen: none are defined here'
  if (scopes.length === 0) return 'must not be empty'
  const unknown = scopes.find((name) => !defined.some((scope) => scope.name === name))
  if (unknown === undefined) return undefined
  return `must be among ${defined.map(({ name }) => name).join(', ')}`
}

function networksProblem(networks: readonly string[]): string | undefined {
  if (networks.length === 0) return 'must not be empty'
  if (networks.length > maxNetworks) return `must be at most ${maxNetworks}`
  return networks.every(isNetwork)
    ? undefined
    : 'must be addresses or CIDR ranges such as 203.0.113.0/24 or 2001:db8::/32'
}

/** Whether a text is an address, or a range in CIDR notation, of IPv4 or IPv6. */
export function isNetwork(text: string): boolean {
  const [address = '', prefix, ...rest] = text.split('/')
  const family = isIP(address)
  // A zone (`fe80::1%eth0`) means something on one machine only.
  if (family === 0 || address.includes('%') || rest.length > 0) return false
  if (prefix === undefined) return true
  return /^(0|[1-9]\d{0,2})$/.test(prefix) && Number(prefix) <= (family === 4 ? 32 : 128)
}

/**
 * @param networks As {@link isNetwork} has them; `null`: everywhere.
 * @param address The client's, or `null` where it is not known: that is nowhere.
 */
export function isAllowedFrom(networks: readonly string[] | null, address: string | null): boolean {
  if (networks === null) return true
  const family = address === null ? 0 : isIP(address)
  if (address === null || family === 0) return false
  const socketAddress = new SocketAddress({ address, family: familyName(family) })
  return networks.some((network) => {
    const { family: own, list } = compiledOf(network)
    // BlockList would find every IPv4 address within ::/0.
    return own === family && list.check(socketAddress)
  })
}

/** Making one costs more than all else in a check. It is the same for the same text, for ever. */
const compiled = new Map<string, { family: number; list: BlockList }>()
const maxCompiled = 10_000

function compiledOf(network: string): { family: number; list: BlockList } {
  const known = compiled.get(network)
  if (known) return known
  const [address = '', prefix] = network.split('/')
  const family = isIP(address)
  const length = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix)
  const list = new BlockList()
  list.addSubnet(address, length, familyName(family))
  if (compiled.size >= maxCompiled) compiled.clear()
  compiled.set(network, { family, list })
  return { family, list }
}

function familyName(family: number): 'ipv4' | 'ipv6' {
  return family === 4 ? 'ipv4' : 'ipv6'
}

/** Whether the pair has come to its end. */
export function isExpired(policy: Pick<KeyPairPolicy, 'expiresAt'>, now: number): boolean {
  return policy.expiresAt !== null && policy.expiresAt <= now
}

/** @returns `lifetime` in seconds, or less where the pair does not live that long. */
export function boundedLifetime(
  policy: Pick<KeyPairPolicy, 'expiresAt'>,
  lifetime: number,
  now: number,
): number {
  return policy.expiresAt === null ? lifetime : Math.min(lifetime, policy.expiresAt - now)
}

/**
 * What a pair may do at most: all that is defined, unless it is limited. A scope that has been struck
 * from the list is nobody's any more.
 */
export function scopesOf(
  { scopes }: Pick<KeyPairPolicy, 'scopes'>,
  defined: readonly DefinedScope[],
): string[] {
  const names = defined.map(({ name }) => name)
  return scopes === null ? names : names.filter((name) => scopes.includes(name))
}

/**
 * What a token may do now: what it says, as far as its pair still has it.
 *
 * @param tokenScopes `undefined` if it does not say: all that its pair has.
 */
export function effectiveScopes(
  tokenScopes: readonly string[] | undefined,
  policy: Pick<KeyPairPolicy, 'scopes'>,
  defined: readonly DefinedScope[],
): string[] {
  const allowed = scopesOf(policy, defined)
  return tokenScopes ? allowed.filter((name) => tokenScopes.includes(name)) : allowed
}

/**
 * @param text Seconds since the Unix epoch, a date (its beginning, in UTC), or a date and time with
 *   its zone, e.g. `2027-01-31T18:00:00+02:00`; `never` or nothing.
 * @returns Seconds since the Unix epoch, `null` for never, `undefined` if it is none of these.
 */
export function parseMoment(text: string): number | null | undefined {
  const trimmed = text.trim()
  if (trimmed === '' || trimmed === 'never') return null
  if (/^\d{1,12}$/.test(trimmed)) return Number(trimmed)
  const isIso = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d)?(\.\d+)?(Z|[+-]\d\d:\d\d))?$/.test(trimmed)
  const milliseconds = isIso ? Date.parse(trimmed) : Number.NaN
  // Some engines, ours among them, take the 31st of February for the 3rd of March.
  const day = Number(trimmed.slice(8, 10))
  const lastDay = new Date(Date.UTC(Number(trimmed.slice(0, 4)), Number(trimmed.slice(5, 7)), 0))
  if (Number.isNaN(milliseconds) || day > lastDay.getUTCDate()) return undefined
  return Math.floor(milliseconds / 1000)
}
