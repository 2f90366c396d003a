import type { KeyPair } from '../domain/key-pair.js'
import { Time } from './time.js'

/** What limits a key-pair, below its name; nothing where nothing does. */
export function KeyPairLimits({ keyPair, now }: { keyPair: KeyPair; now: number }) {
  const { description, expiresAt, scopes, networks, requireDevice, previousSecret } = keyPair
  const hasLimit = expiresAt !== null || scopes !== null || networks !== null || requireDevice
  if (description === '' && !hasLimit && !previousSecret) return null
  return (
    <ul class="limits">
      {description !== '' && (
        <li>
          <bdi>{description}</bdi>
        </li>
      )}
      {expiresAt !== null && (
        <li class={expiresAt <= now ? 'is-over' : undefined}>
          {expiresAt <= now ? 'Expired' : 'Expires'} <Time at={expiresAt} now={now} />
        </li>
      )}
      {scopes !== null && <li>Scopes: {scopes.join(', ')}</li>}
      {networks !== null && <li>From {networks.join(', ')}</li>}
      {requireDevice && <li>Requires a device</li>}
      {previousSecret && (
        <li>
          Last use of the new secret: <Time at={keyPair.secretUsedAt} now={now} never="never" />, of
          the old one: <Time at={previousSecret.usedAt} now={now} never="never" />. The old one ends{' '}
          <Time at={previousSecret.expiresAt} now={now} />.
        </li>
      )}
    </ul>
  )
}
