import { maxPasskeyNameLength } from '../domain/second-factor.js'
import { WarningIcon } from './icons.js'
import { CardActions } from './key-pair-cards.js'
import { Nonce, type Viewer } from './page.js'
import { Secret } from './shown-cards.js'

// Pages' content without the script, and dialogs' with it.

const base = '/profile/second-factor'

interface CardProps {
  viewer: Viewer
  error?: string | undefined
}

export interface AddFactorCardProps extends CardProps {
  /** The first second factor is added with the password. */
  needsPassword: boolean
}

function CurrentPassword({ error, isFirst }: { error: string | undefined; isFirst: boolean }) {
  return (
    <div class="field">
      <label for="factor-password">Current password</label>
      <input
        id="factor-password"
        name="password"
        type="password"
        autocomplete="current-password"
        required
        autofocus={isFirst}
        aria-invalid={error ? 'true' : undefined}
        aria-describedby="factor-error"
      />
    </div>
  )
}

export function AddTotpCard({ viewer, needsPassword, error }: AddFactorCardProps) {
  return (
    <section class="card" data-dialog="add-totp">
      <h2 tabindex={-1}>Set up an authenticator app</h2>
      <p class="lead">
        Any app for one-time codes (TOTP) on your phone will do. The next page shows a QR code for
        it.
      </p>
      <form method="post" action={`${base}/totp`} class="stack">
        <Nonce viewer={viewer} />
        {needsPassword && <CurrentPassword error={error} isFirst />}
        <p class="field-error" id="factor-error" role="alert">
          {error}
        </p>
        <CardActions base="/profile">
          <button type="submit" class="button primary">
            Continue
          </button>
        </CardActions>
      </form>
    </section>
  )
}

/** A QR code: modules a side, and the dark ones as a path. */
export interface QrPicture {
  size: number
  path: string
}

export interface TotpOfferCardProps extends CardProps {
  secret: string
  qr: QrPicture
}

export function TotpOfferCard({ viewer, secret, qr, error }: TotpOfferCardProps) {
  return (
    <section class="card">
      <h2 tabindex={-1}>Scan this with your app</h2>
      <Qr qr={qr} />
      <p class="lead">Or type this secret into it:</p>
      <Secret label="Secret" value={secret.match(/.{1,4}/g)?.join(' ') ?? secret} />
      <form method="post" action={`${base}/totp/confirm`} class="stack">
        <Nonce viewer={viewer} />
        <input type="hidden" name="secret" value={secret} />
        <div class="field">
          <label for="totp-code">Code that the app shows now</label>
          <input
            id="totp-code"
            name="code"
            class="mono"
            inputmode="numeric"
            autocomplete="one-time-code"
            required
            autofocus
            aria-invalid={error ? 'true' : undefined}
            aria-describedby="totp-code-error"
          />
          <p class="field-error" id="totp-code-error" role="alert">
            {error}
          </p>
        </div>
        <CardActions base="/profile">
          <button type="submit" class="button primary">
            Turn On
          </button>
        </CardActions>
      </form>
    </section>
  )
}

/** Dark on light in every colour scheme: not every app reads the other. */
function Qr({ qr: { size, path } }: { qr: QrPicture }) {
  const margin = 4
  const side = size + 2 * margin
  return (
    <svg
      class="qr"
      viewBox={`${-margin} ${-margin} ${side} ${side}`}
      shape-rendering="crispEdges"
      role="img"
      aria-label="QR code of the secret below"
    >
      <rect x={-margin} y={-margin} width={side} height={side} fill="#fff" />
      <path d={path} fill="#000" />
    </svg>
  )
}

export function AddPasskeyCard({ viewer, needsPassword, error }: AddFactorCardProps) {
  return (
    <section class="card" data-dialog="add-passkey">
      <h2 tabindex={-1}>Add a passkey</h2>
      <p class="lead">
        Your device, a security key or a password manager keeps it, and shows that it is there when
        you log in.
      </p>
      <p class="no-js">Passkeys need JavaScript, which is switched off in this browser.</p>
      <form
        method="post"
        action={`${base}/passkeys`}
        class="stack"
        data-passkey-form={`create ${base}/passkeys/challenge`}
      >
        <Nonce viewer={viewer} />
        <input type="hidden" name="passkey" />
        <div class="field">
          <label for="passkey-name">Name</label>
          <input
            id="passkey-name"
            name="name"
            autocomplete="off"
            placeholder="Such as “Laptop”"
            maxlength={maxPasskeyNameLength}
            required
            autofocus
          />
        </div>
        {needsPassword && <CurrentPassword error={error} isFirst={false} />}
        <p class="field-error" id="factor-error" role="alert">
          {error}
        </p>
        <CardActions base="/profile">
          <button type="submit" class="button primary needs-js">
            Add Passkey
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export interface RemoveFactorCardProps extends CardProps {
  /** The end of the address: `totp`, `passkey-5` or `all`. */
  target: string
  /** What is removed, as a heading's words. */
  what: string
  isLast: boolean
}

export function RemoveFactorCard({ viewer, target, what, isLast }: RemoveFactorCardProps) {
  return (
    <section class="card" data-dialog="remove-factor">
      <h2 tabindex={-1}>
        Remove <bdi>{what}</bdi>?
      </h2>
      <p>
        {isLast
          ? 'From then on your password alone opens this account. The recovery codes are good no more.'
          : 'Your other second factors stay.'}
      </p>
      <form method="post" action={`${base}/remove/${target}`}>
        <Nonce viewer={viewer} />
        <CardActions base="/profile">
          <button type="submit" class="button danger solid">
            Remove
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export function NewCodesCard({ viewer }: CardProps) {
  return (
    <section class="card" data-dialog="new-codes">
      <h2 tabindex={-1}>Make new recovery codes?</h2>
      <p>The ones that you have are good no more.</p>
      <form method="post" action={`${base}/codes`}>
        <Nonce viewer={viewer} />
        <CardActions base="/profile">
          <button type="submit" class="button primary">
            Make New Codes
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export function RecoveryCodesCard({ codes, host }: { codes: readonly string[]; host: string }) {
  const file = `Recovery codes of ${host}, each good once:\n\n${codes.join('\n')}\n`
  return (
    <section class="card">
      <h2 tabindex={-1}>Your recovery codes</h2>
      <p class="callout">
        <WarningIcon />
        <span>
          <b>They are shown this once.</b> Keep them where you can reach them without your device:
          each lets you in once if it is lost.
        </span>
      </p>
      <Secret label="Recovery codes" value={codes.join('\n')} />
      <div class="actions">
        <a
          class="button primary"
          download="recovery-codes.txt"
          href={`data:text/plain;charset=utf-8,${encodeURIComponent(file)}`}
        >
          Download
        </a>
        <a class="button" href="/profile#second-factor">
          I Have Kept Them
        </a>
      </div>
    </section>
  )
}
