import type { KeyPair } from '../domain/key-pair.js'
import { lifetimePresets, secondsPerDay } from '../domain/key-pair-policy.js'
import type { PolicyChoices } from '../services/key-pairs.js'
import { exactTime } from './time.js'

export interface PolicyFieldsProps {
  choices: PolicyChoices
  now: number
  /** The pair that is to be limited otherwise; none where one is to be made. */
  keyPair?: KeyPair
  /** Makes the fields' ids other than those of the same fields on the page below. */
  idPrefix?: string
}

/** What limits a key-pair: expiry, scopes, networks; and a description. */
export function PolicyFields(props: PolicyFieldsProps) {
  const { choices, keyPair, idPrefix = '' } = props
  return (
    <div class="policy-fields">
      <ExpiryFields {...props} />
      {choices.scopes.length > 0 && (
        <fieldset class="field wide">
          <legend>Scopes</legend>
          <p class="note">What its tokens may do. Choose none for everything.</p>
          {keyPair && <input type="hidden" name="scopes[]" value="" />}
          {choices.scopes.map(({ name, description }) => (
            <label class="check" key={name}>
              <input
                type="checkbox"
                name="scopes[]"
                value={name}
                checked={keyPair?.scopes?.includes(name)}
              />
              <span>
                <code>{name}</code> {description}
              </span>
            </label>
          ))}
        </fieldset>
      )}
      <div class="field wide">
        <label for={`${idPrefix}networks`}>Networks</label>
        <input
          id={`${idPrefix}networks`}
          name="networks"
          value={keyPair?.networks?.join(', ')}
          autocomplete="off"
          spellcheck={false}
          placeholder="203.0.113.0/24, 2001:db8::/32"
          aria-describedby={`${idPrefix}networks-hint`}
        />
        <p class="note" id={`${idPrefix}networks-hint`}>
          Where it may be used from. Leave empty for everywhere.
        </p>
      </div>
      <div class="field wide">
        <label for={`${idPrefix}require-device`}>Devices</label>
        <select
          id={`${idPrefix}require-device`}
          name="require_device"
          aria-describedby={`${idPrefix}require-device-hint`}
        >
          <option value="">Optional</option>
          <option value="true" selected={keyPair?.requireDevice}>
            Required
          </option>
        </select>
        <p class="note" id={`${idPrefix}require-device-hint`}>
          Applications that name their device get refresh tokens that rotate, and can be signed out
          one by one.
        </p>
      </div>
      <div class="field wide">
        <label for={`${idPrefix}description`}>Description</label>
        <input
          id={`${idPrefix}description`}
          name="description"
          value={keyPair?.description}
          dir="auto"
          autocomplete="off"
        />
      </div>
    </div>
  )
}

function ExpiryFields({ choices, now, keyPair, idPrefix = '' }: PolicyFieldsProps) {
  const { maxLifetime } = choices
  const current = keyPair?.expiresAt ?? undefined
  const latest = maxLifetime === undefined ? Infinity : (keyPair?.createdAt ?? now) + maxLifetime
  const moments = lifetimePresets
    .map((days) => ({ days, at: now + days * secondsPerDay }))
    .filter(({ at }) => at <= latest)
  const isBounded = latest !== Infinity
  return (
    <>
      <div class="field">
        <label for={`${idPrefix}expires-at`}>Expires</label>
        <select id={`${idPrefix}expires-at`} name="expires_at">
          {current !== undefined && (
            <option value={String(current)}>As it is: {dateOf(current)}</option>
          )}
          {isBounded ? (
            <option value={keyPair ? String(latest) : ''}>
              As late as it may: {dateOf(latest)}
            </option>
          ) : (
            <option value="">Never</option>
          )}
          {moments.map(({ days, at }) => (
            <option key={days} value={String(at)}>
              In {days} days: {dateOf(at)}
            </option>
          ))}
        </select>
      </div>
      <div class="field">
        <label for={`${idPrefix}expires-on`}>Or on a date (UTC)</label>
        <input
          id={`${idPrefix}expires-on`}
          name="expires_on"
          type="date"
          min={isoDate(now + secondsPerDay)}
          max={isBounded ? isoDate(latest) : undefined}
        />
      </div>
    </>
  )
}

/** `22 November 2026` */
function dateOf(at: number): string {
  return exactTime(at).split(',')[0] ?? ''
}

function isoDate(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 10)
}
