import type { Device } from '../domain/device.js'
import { Nonce, type Viewer } from './page.js'
import { Time } from './time.js'
import { describeBrowser } from './user-agent.js'

export interface KeyPairDevicesProps {
  devices: readonly Device[]
  viewer: Viewer
  /** Where what is done to the key-pair is sent. */
  actions: string
  /** Names the key-pair, for whoever hears the page. */
  nameId: string
  now: number
}

/** More make the page long, and are not looked through by eye. */
const maxShown = 20
/** Seconds for which an incident is news: thirty days. */
const recent = 30 * 86_400

/** The devices of a key-pair that are signed in, and those that somebody had a copy of. */
export function KeyPairDevices({ devices, viewer, actions, nameId, now }: KeyPairDevicesProps) {
  const isIn = (device: Device) => device.endedAt === null && device.expiresAt > now
  const hasIncident = ({ incident }: Device) => incident !== null && now - incident.at < recent
  const shown = devices.filter((device) => isIn(device) || hasIncident(device))
  if (shown.length === 0) return null
  const incidents = shown.filter(hasIncident)
  const more = shown.length - maxShown
  // What has been stolen comes first.
  const ordered = [...incidents, ...shown.filter((device) => !hasIncident(device))]
  return (
    <details class="devices" open={incidents.length > 0}>
      <summary aria-describedby={nameId}>
        {shown.length === 1 ? '1 device' : `${shown.length} devices`}
        {incidents.length > 0 && <span class="badge danger">Token used twice</span>}
      </summary>
      <ul>
        {ordered.slice(0, maxShown).map((device) => (
          <li key={device.id}>
            <div>
              <p>
                <bdi class="device-name" id={`device-${device.id}`}>
                  {device.name || 'Without a name'}
                </bdi>{' '}
                <span class="muted">{describeBrowser(device.userAgent)}</span>
              </p>
              <p class="muted">
                Last used <Time at={device.lastUsedAt} now={now} />
                {device.lastIp !== null && <> from {device.lastIp}</>}, first used{' '}
                <Time at={device.createdAt} now={now} />
              </p>
              {hasIncident(device) && <Incident device={device} now={now} />}
            </div>
            {isIn(device) && (
              <form method="post" action={`${actions}/devices/${device.id}/sign-out`}>
                <Nonce viewer={viewer} />
                <button type="submit" class="button small" aria-describedby={`device-${device.id}`}>
                  Sign out
                </button>
              </form>
            )}
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p class="muted">
          And {more} more: <code>twinkey device list</code> shows them all.
        </p>
      )}
    </details>
  )
}

function Incident({ device, now }: { device: Device; now: number }) {
  const { incident, endedReason } = device
  if (!incident) return null
  return (
    <p class="device-incident">
      A refresh token that had been replaced was used again <Time at={incident.at} now={now} />
      {incident.ip !== null && <> from {incident.ip}</>}; the one that replaced it had gone to{' '}
      {incident.issuedIp ?? 'an unknown address'}.{' '}
      {endedReason === 'reused'
        ? 'The device was signed out.'
        : 'The device was signed out then, and has started over since.'}
    </p>
  )
}
