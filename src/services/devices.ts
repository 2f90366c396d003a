import type { KeyObject } from 'node:crypto'
import { type Actor, actorUserId, type KeyPairPrincipal } from '../domain/actor.js'
import { doneBy } from '../domain/audit.js'
import {
  type Device,
  type DeviceChain,
  decideRefresh,
  generateChain,
  maxDevices,
  maxUserAgentLength,
} from '../domain/device.js'
import { isLiveVersion } from '../domain/key-pair.js'
import { isExpiredUser } from '../domain/user.js'
import { readRefreshCookie, writeRefreshCookie } from '../domain/refresh-cookie.js'
import { ServiceError } from '../errors.js'
import type { Logger } from '../logger.js'
import type { Stores } from '../store/index.js'
import type { DeviceState, KeyState } from '../store/key-states.js'
import type { AuditTrail } from './audit/trail.js'
import { createDeviceEnds } from './device-ends.js'
import type { KeyPairService } from './key-pairs.js'
import type { KeyStateReader } from './key-state-reader.js'
import { assertPolicy } from './token-subject.js'
import type { Origin } from './tokens.js'

/** A place in the chain of a device: what a refresh token stands for. Times are in seconds. */
export interface ChainPlace {
  name: string
  chain: string
  generation: number
  /** When the refresh token of this place was issued: its `iat`. */
  issuedAt: number
  /** Its `exp`. */
  refreshExpiresAt: number
}

/** How long what is issued now will live, in seconds. */
export interface ChainLifetimes {
  access: number
  refresh: number
}

/** A key-pair, its user and the device of a cookie, all of them alive. */
export type RecalledState = KeyState & { device: DeviceState }

export interface DeviceService {
  /**
   * Begins the chain of a device of a pair that has proven its secret (`state`, `secretVersion`). A
   * device of that name starts over: its tokens of before, access tokens too, are dead from now on.
   *
   * @param name 1 to 255 characters, compared byte for byte; the caller has checked it.
   * @returns The first place of the chain.
   * @throws {ServiceError} `rest_authentication_too_many_devices`
   */
  start(
    state: KeyState,
    secretVersion: number,
    name: string,
    origin: Origin,
    lifetimes: ChainLifetimes,
  ): Promise<ChainPlace>
  /**
   * Replaces the refresh token of a device. Within the grace the token before is answered with the
   * place that replaced it, so that it gets the very same successor; any other token of the past ends
   * the chain, is recorded as an incident and logged.
   *
   * @param device The state of the chain, read after the request arrived.
   * @param generation That of the refresh token that was presented.
   * @throws {ServiceError} `rest_authentication_device_signed_out`, `…_reused_refresh_token` or
   *   `…_expired_refresh_token`.
   */
  rotate(
    device: DeviceState,
    generation: number | undefined,
    origin: Origin,
    lifetimes: ChainLifetimes,
  ): Promise<ChainPlace>
  /**
   * Checks a refresh token of a device without replacing it: it has to be the good one, or the one
   * before within the grace. Changes nothing.
   *
   * @throws {ServiceError} `rest_authentication_device_signed_out`, `…_obsolete_refresh_token` or
   *   `…_expired_refresh_token`.
   */
  assertGood(device: DeviceChain, generation: number | undefined): void
  /** The refresh token of a place as an opaque text, `<user id>.<64 hexadecimal digits>`. */
  cookieOf(userId: number, place: Pick<ChainPlace, 'chain' | 'generation'>): string
  /**
   * Whose cookie it is: the key-pair, its user and the device, as they are now, all fit for use from
   * `origin`. Whether the cookie is the good one of the chain is for `assertGood` (mint without
   * replacing) or `rotate` to say, with the generation that is returned.
   *
   * @throws {ServiceError} `rest_authentication_invalid_refresh_token` if it is malformed,
   *   `…_obsolete_refresh_token` if its chain is not there (any more), `…_device_signed_out`, or what
   *   a refresh token of such a pair is refused with.
   */
  recall(cookie: string, origin: Origin): Promise<{ state: RecalledState; generation: number }>
  /** @throws {ServiceError} as a key-pair's own listing, and `…_key_pair_not_found`. */
  list(actor: Actor | undefined, userId: number, apiKey: string): Promise<Device[]>
  /** Devices of a user's pairs, by the pair's id: those used last, of very many. @throws {ServiceError} */
  listAll(
    actor: Actor,
    userId: number,
    keyPairIds: readonly number[],
  ): Promise<Map<number, Device[]>>
  /**
   * Ends the chain of a device: its refresh token is refused from now on, and so are its access tokens.
   *
   * @returns Whether this call did it; `false` if it had ended before.
   * @throws {ServiceError} also `rest_device_not_found`.
   */
  signOut(
    actor: Actor | undefined,
    userId: number,
    apiKey: string,
    deviceId: number,
  ): Promise<boolean>
  /** Ends a chain on its own client's request. */
  surrender(client: KeyPairPrincipal, chain: string): Promise<void>
}

export interface DeviceServiceDeps {
  stores: Pick<Stores, 'devices' | 'keyPairs' | 'transaction'>
  audit: AuditTrail
  keyStates: KeyStateReader
  keyPairs: Pick<KeyPairService, 'authorise'>
  /** Authenticates the opaque form of refresh tokens. */
  cookieKey: KeyObject
  /** For how many seconds a refresh token that was replaced is answered with its successor. */
  grace: number
  logger: Logger
  /** Seconds since the Unix epoch. */
  now: () => number
}

/** Devices of key-pairs, each with one chain of rotating refresh tokens. */
export function createDeviceService(deps: DeviceServiceDeps): DeviceService {
  const { stores, audit, keyStates, keyPairs, cookieKey, grace, now } = deps

  const { endAudited, endReused } = createDeviceEnds(deps)

  async function findKeyPair(userId: number, apiKey: string) {
    const keyPair = await stores.keyPairs.find(userId, apiKey)
    if (!keyPair || keyPair.revokedAt !== null) {
      throw new ServiceError('rest_authentication_key_pair_not_found')
    }
    return keyPair
  }

  return {
    async start(state, secretVersion, name, { ip, userAgent }, lifetimes) {
      const at = now()
      const place = { name, chain: generateChain(), generation: 0, issuedAt: at }
      const refreshExpiresAt = at + lifetimes.refresh
      const outcome = await stores.devices.start({
        keyPairId: state.keyPairId,
        name,
        chain: place.chain,
        secretVersion,
        at,
        refreshExpiresAt,
        expiresAt: at + Math.max(lifetimes.access, lifetimes.refresh),
        ip,
        userAgent: shortened(userAgent),
      })
      if (outcome === 'full') {
        throw new ServiceError('rest_authentication_too_many_devices', {
          params: { device: `must be one of the ${maxDevices} that the key-pair has` },
        })
      }
      if (outcome === 'gone') throw new ServiceError('rest_authentication_revoked_api_key')
      return { ...place, refreshExpiresAt }
    },

    async rotate(device, generation, origin, lifetimes) {
      const { chain, name } = device
      let current: DeviceChain = device
      for (;;) {
        const at = now()
        const decision = decideRefresh(current, generation, grace, at)
        if (decision === 'ended') throw new ServiceError('rest_authentication_device_signed_out')
        if (decision === 'expired') {
          throw new ServiceError('rest_authentication_expired_refresh_token')
        }
        if (decision === 'reused') return endReused(device, origin)
        if (decision === 'repeat') {
          const { issuedAt, refreshExpiresAt } = current
          return { name, chain, generation: current.generation, issuedAt, refreshExpiresAt }
        }
        const refreshExpiresAt = at + lifetimes.refresh
        const hasRotated = await stores.devices.rotate(chain, {
          fromGeneration: current.generation,
          at,
          refreshExpiresAt,
          expiresAt: at + Math.max(lifetimes.access, lifetimes.refresh),
          ip: origin.ip,
          userAgent: shortened(origin.userAgent),
        })
        if (hasRotated) {
          return { name, chain, generation: current.generation + 1, issuedAt: at, refreshExpiresAt }
        }
        // Another request with the same token was faster, or the chain ended: see what there is now.
        const found = await stores.devices.find(chain)
        if (!found) throw new ServiceError('rest_authentication_device_signed_out')
        current = found
      }
    },

    assertGood(device, generation) {
      const decision = decideRefresh(device, generation, grace, now())
      if (decision === 'ended') throw new ServiceError('rest_authentication_device_signed_out')
      if (decision === 'reused')
        throw new ServiceError('rest_authentication_obsolete_refresh_token')
      if (decision === 'expired') {
        throw new ServiceError('rest_authentication_expired_refresh_token')
      }
    },

    cookieOf: (userId, { chain, generation }) =>
      writeRefreshCookie(cookieKey, { userId, chain, generation }),

    async recall(cookie, { ip }) {
      const content = readRefreshCookie(cookieKey, cookie)
      if (content === 'malformed') {
        throw new ServiceError('rest_authentication_invalid_refresh_token')
      }
      const obsolete = new ServiceError('rest_authentication_obsolete_refresh_token')
      if (content === 'unknown') throw obsolete
      const { chain, generation, userId } = content
      const found = await stores.devices.find(chain)
      const state = found && (await keyStates.read(found.apiKey, { chain }))
      const device = state?.device
      if (!device || state.userId !== userId || device.keyPairId !== state.keyPairId) throw obsolete
      if (state.revokedAt !== null) throw new ServiceError('rest_authentication_revoked_api_key')
      if (state.user.status !== 'active') {
        throw new ServiceError('rest_authentication_disabled_user')
      }
      if (isExpiredUser(state.user, now())) {
        throw new ServiceError('rest_authentication_expired_user')
      }
      if (!isLiveVersion(state, device.secretVersion, now())) {
        throw new ServiceError('rest_authentication_replaced_api_secret')
      }
      assertPolicy(state, now(), ip)
      if (device.endedAt !== null) throw new ServiceError('rest_authentication_device_signed_out')
      return { state: { ...state, device }, generation }
    },

    async list(actor, userId, apiKey) {
      keyPairs.authorise(actor, userId)
      const { id } = await findKeyPair(userId, apiKey)
      return stores.devices.listByKeyPairs([id])
    },

    async listAll(actor, userId, keyPairIds) {
      keyPairs.authorise(actor, userId)
      const found = new Map<number, Device[]>()
      for (const device of await stores.devices.listByKeyPairs(keyPairIds, maxDevices)) {
        const { keyPairId } = device
        found.set(keyPairId, [...(found.get(keyPairId) ?? []), device])
      }
      return found
    },

    async signOut(maybeActor, userId, apiKey, deviceId) {
      const actor = keyPairs.authorise(maybeActor, userId)
      const { id } = await findKeyPair(userId, apiKey)
      const devices = await stores.devices.listByKeyPairs([id])
      const device = devices.find((candidate) => candidate.id === deviceId)
      if (!device) throw new ServiceError('rest_device_not_found')
      const end = { at: now(), by: actorUserId(actor), reason: 'signed_out' as const }
      return stores.transaction(async (tx) => {
        // By its id: it may have started over in the meantime.
        if (!(await tx.devices.endDevice(id, deviceId, end))) return false
        const about = { ...doneBy(actor), userId, apiKey, reason: end.reason }
        const details = { device: device.name }
        await audit.write(tx, { ...about, action: 'device.signed_out', details })
        return true
      })
    },

    async surrender(client, chain) {
      const found = await stores.devices.find(chain)
      const end = { at: now(), by: client.user.id, reason: 'surrendered' as const }
      if (found) await endAudited(found, end, doneBy(client))
    },
  }
}

function shortened(userAgent: string | undefined): string | null {
  return userAgent === undefined ? null : [...userAgent].slice(0, maxUserAgentLength).join('')
}
