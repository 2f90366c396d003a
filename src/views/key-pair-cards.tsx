import type { ComponentChildren } from 'preact'
import type { KeyPair } from '../domain/key-pair.js'
import type { KeyPairSummary } from '../services/key-pairs.js'
import { Nonce, type Viewer } from './page.js'
import { Time } from './time.js'

// Each card is a page's content without the script, and a dialog's with it.

interface CardProps {
  viewer: Viewer
  base: string
}

export interface TokenFormCardProps extends CardProps {
  keyPair: KeyPair
  /** Why the secret was refused. */
  error?: string
}

export function TokenFormCard({ viewer, base, keyPair, error }: TokenFormCardProps) {
  return (
    <section class="card" data-dialog="token">
      <h2 tabindex={-1}>
        New token for “<bdi>{keyPair.name}</bdi>”
      </h2>
      <p class="lead">
        Paste the secret of <code>{keyPair.apiKey}</code> to exchange the pair for an access and a
        refresh token.
      </p>
      <form
        method="post"
        action={`${base}/key-pairs/${keyPair.apiKey}/token`}
        class="stack"
        data-rest="POST /wp-json/wp/v2/token"
        data-then="tokens"
        data-name={keyPair.name}
      >
        <Nonce viewer={viewer} />
        <input type="hidden" name="api_key" value={keyPair.apiKey} />
        <div class="field">
          <label for="api-secret">API Secret</label>
          <input
            id="api-secret"
            name="api_secret"
            class="mono"
            autocomplete="off"
            autocapitalize="none"
            spellcheck={false}
            required
            autofocus
            aria-invalid={error ? 'true' : undefined}
            aria-describedby="api-secret-error"
          />
          <p class="field-error" id="api-secret-error" role="alert">
            {error}
          </p>
        </div>
        <CardActions base={base}>
          <button type="submit" class="button primary">
            New Token
          </button>
        </CardActions>
      </form>
    </section>
  )
}

export function CardActions({ base, children }: { base: string; children: ComponentChildren }) {
  return (
    <div class="actions">
      {children}
      <a class="button" href={base} data-close>
        Cancel
      </a>
    </div>
  )
}

export interface RevokeCardProps extends CardProps {
  userId: number
  keyPair: KeyPair
  now: number
}

export function RevokeCard({ viewer, base, userId, keyPair, now }: RevokeCardProps) {
  return (
    <section class="card" data-dialog="revoke">
      <h2 tabindex={-1}>
        Revoke “<bdi>{keyPair.name}</bdi>”?
      </h2>
      <p>
        Whatever uses this key-pair stops working at once, with every token it was exchanged for.
        This cannot be undone.
      </p>
      <dl class="facts">
        <dt>API Key</dt>
        <dd>
          <code>{keyPair.apiKey}</code>
        </dd>
        <LastUse keyPair={keyPair} now={now} />
      </dl>
      <form
        method="post"
        action={`${base}/key-pairs/${keyPair.apiKey}/revoke`}
        data-rest={`DELETE /wp-json/wp/v2/key-pair/${userId}/${keyPair.apiKey}/revoke`}
        data-then="revoked"
        data-name={keyPair.name}
        data-api-key={keyPair.apiKey}
      >
        <Nonce viewer={viewer} />
        <p class="field-error" role="alert" />
        <CardActions base={base}>
          <button type="submit" class="button danger solid">
            Revoke
          </button>
        </CardActions>
      </form>
    </section>
  )
}

function LastUse({ keyPair, now }: { keyPair: KeyPair | undefined; now: number }) {
  return (
    <>
      <dt>In use</dt>
      <dd>
        {keyPair && keyPair.lastUsedAt !== null ? (
          <>
            last used <Time at={keyPair.lastUsedAt} now={now} />
            {keyPair.lastIp !== null && <> from {keyPair.lastIp}</>}
          </>
        ) : (
          'never used'
        )}
      </dd>
    </>
  )
}

export interface RevokeAllCardProps extends CardProps {
  userId: number
  /** Whose, if not the viewer's own. */
  owner: string | undefined
  summary: KeyPairSummary
  now: number
}

export function RevokeAllCard(props: RevokeAllCardProps) {
  const { viewer, base, userId, owner, summary, now } = props
  const count = summary.active === 1 ? 'the key-pair' : `all ${summary.active} key-pairs`
  return (
    <section class="card" data-dialog="revoke-all">
      <h2 tabindex={-1}>
        Revoke {count}
        {owner !== undefined && (
          <>
            {' '}
            of <bdi>{owner}</bdi>
          </>
        )}
        ?
      </h2>
      <p>
        Every application that uses one of them stops working at once, with every token that they
        were exchanged for. This cannot be undone.
      </p>
      <dl class="facts">
        {summary.lastUsed && (
          <>
            <dt>Used last</dt>
            <dd>
              <bdi>{summary.lastUsed.name}</bdi>
            </dd>
          </>
        )}
        <LastUse keyPair={summary.lastUsed} now={now} />
      </dl>
      <form
        method="post"
        action={`${base}/revoke-all`}
        data-rest={`DELETE /wp-json/wp/v2/key-pair/${userId}/revoke-all`}
        data-then="revoked-all"
      >
        <Nonce viewer={viewer} />
        <p class="field-error" role="alert" />
        <CardActions base={base}>
          <button type="submit" class="button danger solid">
            Revoke All
          </button>
        </CardActions>
      </form>
    </section>
  )
}
