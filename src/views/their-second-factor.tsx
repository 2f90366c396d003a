import { hasSecondFactor, type SecondFactors } from '../domain/second-factor.js'
import type { User } from '../domain/user.js'
import { Nonce, type Viewer } from './page.js'

export interface TheirSecondFactorCardProps {
  viewer: Viewer
  user: User
  factors: SecondFactors
}

/** What an administrator sees of, and does about, another's second factor. */
export function TheirSecondFactorCard({ viewer, user, factors }: TheirSecondFactorCardProps) {
  const base = `/users/${user.id}/second-factor`
  const isOn = hasSecondFactor(factors)
  return (
    <section class="card" data-dialog="their-second-factor">
      <h2 tabindex={-1}>
        Second factor of <bdi>{user.login}</bdi>
      </h2>
      <dl class="facts">
        <dt>Authenticator app</dt>
        <dd>{factors.hasTotp ? 'Set up' : 'None'}</dd>
        <dt>Passkeys</dt>
        <dd>{factors.passkeys}</dd>
        <dt>Recovery codes left</dt>
        <dd>{factors.recoveryCodes}</dd>
        <dt>Required for minting</dt>
        <dd>{factors.isRequired ? 'Yes' : 'No'}</dd>
      </dl>
      {isOn && (
        <p>
          Resetting takes all of it away and signs the user out: for somebody who has lost it. The
          password alone then opens the account.
        </p>
      )}
      <div class="actions">
        <form method="post" action={`${base}/${factors.isRequired ? 'optional' : 'required'}`}>
          <Nonce viewer={viewer} />
          <button type="submit" class="button">
            {factors.isRequired ? 'Require No More' : 'Require for Minting'}
          </button>
        </form>
        {isOn && (
          <form method="post" action={`${base}/reset`}>
            <Nonce viewer={viewer} />
            <button type="submit" class="button danger solid">
              Reset
            </button>
          </form>
        )}
        <a class="button" href={`/users/${user.id}/profile`} data-close>
          Cancel
        </a>
      </div>
    </section>
  )
}
