import type { SecondFactors } from '../domain/second-factor.js'
import { KeyIcon } from './icons.js'
import { Page, type PageContext, type Viewer } from './page.js'
import { ProofForm } from './proof-form.js'

export interface SecondStepPageProps {
  context: PageContext
  login: string
  factors: SecondFactors
  next: string
  error?: string | undefined
}

/** Between the password and the session. */
export function SecondStepPage({ context, login, factors, next, error }: SecondStepPageProps) {
  return (
    <Page context={context} title="Log In">
      <div class="narrow">
        <section class="card login">
          <div class="login-mark">
            <KeyIcon />
          </div>
          <h1>Second factor</h1>
          <p class="lead">
            The password of <b>{login}</b> is right. Now show that it is you.
          </p>
          <ProofForm
            action="/login/second-factor"
            challenge="/login/second-factor/challenge"
            factors={factors}
            next={next}
            error={error}
            button="Log In"
          >
            <a class="button" href="/login">
              Start Again
            </a>
          </ProofForm>
        </section>
      </div>
    </Page>
  )
}

export interface ConfirmCardProps {
  viewer: Viewer
  factors: SecondFactors
  next: string
  error?: string | undefined
}

/** A page's content without the script, and a dialog's with it. */
export function ConfirmCard({ viewer, factors, next, error }: ConfirmCardProps) {
  return (
    <section class="card" data-dialog="confirm">
      <h2 tabindex={-1}>Confirm that it is you</h2>
      <p class="lead">This needs your second factor anew. It then holds for 15 minutes.</p>
      <ProofForm
        action="/profile/confirm"
        challenge="/session/second-factor/challenge"
        factors={factors}
        next={next}
        viewer={viewer}
        error={error}
        button="Confirm"
      >
        <a class="button" href={next} data-close>
          Cancel
        </a>
      </ProofForm>
    </section>
  )
}
