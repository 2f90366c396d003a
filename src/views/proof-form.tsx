import type { ComponentChildren } from 'preact'
import type { SecondFactors } from '../domain/second-factor.js'
import { Nonce, type Viewer } from './page.js'

export interface ProofFormProps {
  action: string
  /** Where a passkey's challenge comes from. */
  challenge: string
  factors: SecondFactors
  next: string
  viewer?: Viewer | undefined
  error?: string | undefined
  button: string
  /** Beside the button. */
  children?: ComponentChildren
}

/** Asks for the second factor: a code, or a passkey where the script runs. */
export function ProofForm(props: ProofFormProps) {
  const { action, challenge, factors, next, viewer, error, button, children } = props
  return (
    <form method="post" action={action} class="stack" data-proof>
      {viewer && <Nonce viewer={viewer} />}
      <input type="hidden" name="next" value={next} />
      <input type="hidden" name="passkey" />
      {factors.passkeys > 0 && (
        <div class="needs-js">
          <button type="button" class="button primary wide" data-passkey={`get ${challenge}`}>
            Use a Passkey
          </button>
        </div>
      )}
      <div class="field">
        <label for="otp">{factors.hasTotp ? 'Code' : 'Recovery code'}</label>
        <input
          id="otp"
          name="otp"
          class="mono"
          autocomplete="one-time-code"
          autocapitalize="none"
          spellcheck={false}
          required
          autofocus
          aria-invalid={error ? 'true' : undefined}
          aria-describedby="otp-hint otp-error"
        />
        <p class="field-hint" id="otp-hint">
          {factors.hasTotp
            ? 'Six digits from your authenticator app, or one of your recovery codes.'
            : 'One of the codes that you kept when you added the passkey.'}
        </p>
        <p class="field-error" id="otp-error" role="alert">
          {error}
        </p>
      </div>
      <div class="actions">
        <button type="submit" class={factors.passkeys > 0 ? 'button' : 'button primary'}>
          {button}
        </button>
        {children}
      </div>
    </form>
  )
}
