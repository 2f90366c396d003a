import { hasSecondFactor, type Passkey, type SecondFactors } from '../domain/second-factor.js'
import { Time } from './time.js'

export interface SecondFactorSectionProps {
  factors: SecondFactors
  passkeys: Passkey[]
  /** Why there can be no passkeys, or `undefined`. */
  passkeyProblem: string | undefined
  /** Whether key-pairs cannot be minted without. */
  isRequired: boolean
  now: number
}

const base = '/profile/second-factor'

/** On one's own profile. */
export function SecondFactorSection(props: SecondFactorSectionProps) {
  const { factors, passkeys, passkeyProblem, isRequired, now } = props
  const isOn = hasSecondFactor(factors)
  return (
    <section class="card" id="second-factor" aria-labelledby="second-factor-heading">
      <div class="card-head">
        <h2 id="second-factor-heading">
          Second factor{' '}
          {isOn ? <span class="badge success">On</span> : <span class="badge">Off</span>}
        </h2>
        {isOn && (
          <Opener
            id="factors-off"
            action={`${base}/remove/all`}
            text="Turn Off"
            look="small danger"
          />
        )}
      </div>
      <p class="lead">
        {isOn
          ? 'Asked for when you log in, and again for minting and for revoking all.'
          : 'Your password alone opens this account. An authenticator app or a passkey keeps out whoever learns it.'}
        {isRequired && !isOn && (
          <>
            {' '}
            <b>You need one to mint key-pairs.</b>
          </>
        )}
      </p>
      {isOn && (
        <ul class="sessions factors">
          {factors.hasTotp && (
            <li>
              <div>
                <span class="session-name">Authenticator app</span>
                <p class="muted">Shows six digits, anew every 30 seconds</p>
              </div>
              <Opener
                id="remove-totp"
                action={`${base}/remove/totp`}
                text="Remove"
                of="authenticator app"
                look="small"
              />
            </li>
          )}
          {passkeys.map((passkey) => (
            <li key={passkey.id}>
              <div>
                <span class="session-name">
                  Passkey “<bdi>{passkey.name}</bdi>”
                </span>
                <p class="muted">
                  Added <Time at={passkey.createdAt} now={now} />, used{' '}
                  <Time at={passkey.lastUsedAt} now={now} never="never" />
                </p>
              </div>
              <Opener
                id={`remove-passkey-${passkey.id}`}
                action={`${base}/remove/passkey-${passkey.id}`}
                text="Remove"
                of={passkey.name}
                look="small"
              />
            </li>
          ))}
          <li>
            <div>
              <span class="session-name">Recovery codes</span>
              <p class={factors.recoveryCodes > 2 ? 'muted' : 'few'}>
                {factors.recoveryCodes} left, each good once
              </p>
            </div>
            <Opener id="new-codes" action={`${base}/codes`} text="New Codes" look="small" />
          </li>
        </ul>
      )}
      <div class="actions">
        {!factors.hasTotp && (
          <Opener
            id="add-totp"
            action={`${base}/totp`}
            text="Set Up Authenticator App"
            look={isOn ? '' : 'primary'}
          />
        )}
        {passkeyProblem === undefined && (
          <Opener id="add-passkey" action={`${base}/passkeys`} text="Add Passkey" />
        )}
      </div>
      {passkeyProblem !== undefined && <p class="field-hint">{passkeyProblem}</p>}
    </section>
  )
}

interface OpenerProps {
  id: string
  action: string
  text: string
  /** What the button is about, for those who hear it alone. */
  of?: string
  look?: string
}

/** Leads to a page with one card, which the script shows as a dialog. */
function Opener({ id, action, text, of, look = '' }: OpenerProps) {
  return (
    <form method="get" action={action} data-card>
      <button type="submit" class={`button ${look}`.trim()} id={id}>
        {text}
        {of !== undefined && <span class="visually-hidden"> {of}</span>}
      </button>
    </form>
  )
}
