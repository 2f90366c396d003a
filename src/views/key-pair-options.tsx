import { lifetimePresets, secondsPerDay } from '../domain/key-pair-policy.js'
import type { PolicyChoices } from '../services/key-pairs.js'
import { exactTime } from './time.js'

export interface KeyPairOptionsProps {
  choices: PolicyChoices
  now: number
}

/** What may limit a new key-pair. All of it is optional, and so it is folded away. */
export function KeyPairOptions({ choices, now }: KeyPairOptionsProps) {
  const { scopes, maxLifetime } = choices
  const isBounded = maxLifetime !== undefined
  const longest = maxLifetime ?? Infinity
  const days = lifetimePresets.filter((preset) => preset * secondsPerDay <= longest)
  return (
    <details class="options">
      <summary>Options</summary>
      <div class="options-fields">
        <div class="field">
          <label for="expires-at">Expires</label>
          <select id="expires-at" name="expires_at">
            <option value="">
              {isBounded ? `As late as it may: ${dateOf(now + longest)}` : 'Never'}
            </option>
            {days.map((preset) => (
              <option key={preset} value={String(now + preset * secondsPerDay)}>
                In {preset} days: {dateOf(now + preset * secondsPerDay)}
              </option>
            ))}
          </select>
        </div>
        <div class="field">
          <label for="expires-on">Or on a date (UTC)</label>
          <input
            id="expires-on"
            name="expires_on"
            type="date"
            min={isoDate(now + secondsPerDay)}
            max={isBounded ? isoDate(now + longest) : undefined}
          />
        </div>
        {scopes.length > 0 && (
          <fieldset class="field wide">
            <legend>Scopes</legend>
            <p class="note" id="scopes-hint">
              What its tokens may do. Choose none for everything.
            </p>
            {scopes.map(({ name, description }) => (
              <label class="check" key={name}>
                <input type="checkbox" name="scopes[]" value={name} />
                <span>
                  <code>{name}</code> {description}
                </span>
              </label>
            ))}
          </fieldset>
        )}
        <div class="field wide">
          <label for="networks">Networks</label>
          <input
            id="networks"
            name="networks"
            autocomplete="off"
            spellcheck={false}
            placeholder="203.0.113.0/24, 2001:db8::/32"
            aria-describedby="networks-hint"
          />
          <p class="note" id="networks-hint">
            Where it may be used from. Leave empty for everywhere.
          </p>
        </div>
        <div class="field wide">
          <label for="description">Description</label>
          <input id="description" name="description" dir="auto" autocomplete="off" />
        </div>
      </div>
    </details>
  )
}

/** `22 November 2026` */
function dateOf(at: number): string {
  return exactTime(at).split(',')[0] ?? ''
}

function isoDate(at: number): string {
  return new Date(at * 1000).toISOString().slice(0, 10)
}
