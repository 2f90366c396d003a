import { CopyIcon, WarningIcon } from './icons.js'

// What is shown once. Each card is a page's content without the script, and a dialog's with it: then it
// is in the page as a template with {placeholders}, because its content comes with an answer.

export interface ShownPair {
  name: string
  apiKey: string
  apiSecret: string
}

const placeholders: ShownPair = {
  name: '{name}',
  apiKey: '{api_key}',
  apiSecret: '{api_secret}',
}

interface SecretProps {
  label: string
  value: string
}

export function Secret({ label, value }: SecretProps) {
  return (
    <div class="secret">
      <span class="secret-label">{label}</span>
      <button type="button" class="button small needs-js" data-copy={label}>
        <CopyIcon />
        <span data-copy-text>Copy</span>
        <span class="visually-hidden"> {label}</span>
      </button>
      <code class="copyable">{value}</code>
    </div>
  )
}

export interface MintedCardProps {
  pair: ShownPair
  tokenUrl: string
  base: string
  /** Without the script, the file is in the link itself and Dismiss leads back. */
  isPage: boolean
  /** The pair was there before, and has another secret now. */
  isRotated?: boolean
}

export function MintedCard(props: MintedCardProps) {
  const { pair, tokenUrl, base, isPage, isRotated = false } = props

  const file = JSON.stringify({ api_key: pair.apiKey, api_secret: pair.apiSecret }, null, 2)
  const fields = `-F "api_key=${pair.apiKey}" -F "api_secret=${pair.apiSecret}"`
  return (
    <section class="card" data-dialog="minted">
      <h2 tabindex={-1}>
        {isRotated ? 'New secret for' : 'Key-pair'} “<bdi>{pair.name}</bdi>”
        {!isRotated && ' created'}
      </h2>
      <p class="callout">
        <WarningIcon />
        <span>
          <b>The secret is shown this once.</b> Copy or download it now: it is not stored and cannot
          be shown again.
        </span>
      </p>
      <Secret label="API Key" value={pair.apiKey} />
      <Secret label="API Secret" value={pair.apiSecret} />
      <Secret
        label="Try it with curl"
        value={`curl -X POST "${tokenUrl.replaceAll('$', '%24')}" ${fields}`}
      />
      <p class="guard" role="alert" data-guard />
      <div class="actions">
        {isPage ? (
          <a
            class="button primary"
            download="key-pair.json"
            href={`data:application/json;charset=utf-8,${encodeURIComponent(`${file}\n`)}`}
          >
            Download
          </a>
        ) : (
          <button type="button" class="button primary" data-download="key-pair.json">
            Download
          </button>
        )}
        <Dismiss base={base} isPage={isPage} />
      </div>
    </section>
  )
}

function Dismiss({ base, isPage }: { base: string; isPage: boolean }) {
  if (isPage) {
    return (
      <a class="button" href={base}>
        Dismiss
      </a>
    )
  }
  return (
    <button type="button" class="button" data-close>
      Dismiss
    </button>
  )
}

export interface TokensCardProps {
  name: string
  accessToken: string
  /** Absent where the key-pair gives none. */
  refreshToken: string | undefined
  /** The endpoint's answer, as text. */
  file: string
  base: string
  isPage: boolean
}

export function TokensCard(props: TokensCardProps) {
  return (
    <section class="card" data-dialog="tokens">
      <h2 tabindex={-1}>
        New token for “<bdi>{props.name}</bdi>”
      </h2>
      <p class="lead">
        Send the access token as <code>Authorization: Bearer …</code>; exchange the refresh token
        for new ones later. Both die with the key-pair.
      </p>
      <Secret label="Access token" value={props.accessToken} />
      {props.refreshToken !== undefined && (
        <Secret label="Refresh token" value={props.refreshToken} />
      )}
      <div class="actions">
        {props.isPage ? (
          <a
            class="button primary"
            download="token.json"
            href={`data:application/json;charset=utf-8,${encodeURIComponent(props.file)}`}
          >
            Download
          </a>
        ) : (
          <button type="button" class="button primary" data-download="token.json">
            Download
          </button>
        )}
        <Dismiss base={props.base} isPage={props.isPage} />
      </div>
    </section>
  )
}

/** What the script fills in and shows; the names in braces are replaced in the text. */
export function DialogTemplates({ base, tokenUrl }: { base: string; tokenUrl: string }) {
  return (
    <>
      <template id="minted-template">
        <MintedCard pair={placeholders} tokenUrl={tokenUrl} base={base} isPage={false} />
      </template>
      <template id="rotated-template">
        <MintedCard pair={placeholders} tokenUrl={tokenUrl} base={base} isPage={false} isRotated />
      </template>
      <template id="tokens-template">
        <TokensCard
          name="{name}"
          accessToken="{access_token}"
          refreshToken="{refresh_token}"
          file=""
          base={base}
          isPage={false}
        />
      </template>
      <template id="ended-template">
        <section class="card" data-dialog="ended">
          <h2 tabindex={-1}>Your session has ended</h2>
          <p>Nothing was changed. Log in again to go on.</p>
          <div class="actions">
            <a class="button primary" href={`/login?next=${encodeURIComponent(base)}`}>
              Log In
            </a>
            <button type="button" class="button" data-close>
              Not now
            </button>
          </div>
        </section>
      </template>
    </>
  )
}
