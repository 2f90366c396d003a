import { type NewAuditEvent, system } from '../domain/audit.js'
import { ServiceError } from '../errors.js'
import type { ChainEnd, OwnedDevice } from '../store/devices.js'
import type { DeviceState } from '../store/key-states.js'
import type { DeviceServiceDeps } from './devices.js'
import type { Origin } from './tokens.js'

/** How chains end, beside by their owner's hand. */
export function createDeviceEnds({
  stores,
  audit,
  logger,
  now,
}: Pick<DeviceServiceDeps, 'stores' | 'audit' | 'logger' | 'now'>) {
  /** @returns Whether this call ended it. The log has it then, or neither has. */
  function endAudited(
    { userId, apiKey, name, chain }: Pick<OwnedDevice, 'userId' | 'apiKey' | 'name' | 'chain'>,
    end: ChainEnd,
    by: Pick<NewAuditEvent, 'actor' | 'origin'>,
  ): Promise<boolean> {
    return stores.transaction(async (tx) => {
      if (!(await tx.devices.end(chain, end))) return false
      const details = { device: name, issued_ip: end.incident?.issuedIp ?? null }
      const about = { ...by, userId, apiKey, reason: end.reason }
      await audit.write(tx, {
        ...about,
        action: 'device.signed_out',
        details: end.incident ? details : { device: name },
      })
      return true
    })
  }

  /** Guarded by the chain: one that has ended, or started over, is left alone. */
  async function endReused(device: DeviceState, { ip }: Origin): Promise<never> {
    const at = now()
    const found = await stores.devices.find(device.chain)
    const issuedIp = found?.issuedIp ?? null
    const incident = { at, ip, issuedIp }
    const end = { at, by: null, reason: 'reused' as const, incident }
    const by = { actor: system, origin: { ip } }
    if (found && (await endAudited(found, end, by))) {
      const { deviceId, keyPairId } = device
      logger.warn(
        { keyPairId, deviceId, ip, issuedIp },
        'a replaced refresh token was used again; the device has been signed out',
      )
    }
    throw new ServiceError('rest_authentication_reused_refresh_token')
  }

  return { endAudited, endReused }
}
