import type { RegisteredToken } from '../domain/registered-token.js'
import { Nonce, type Viewer } from './page.js'
import { Time } from './time.js'

export interface KeyPairTokensProps {
  tokens: readonly RegisteredToken[]
  viewer: Viewer
  /** Where what is done to the key-pair is sent. */
  actions: string
  /** Names the key-pair, for whoever hears the page. */
  nameId: string
  now: number
}

/** More make the page long, and are not looked through by eye. */
const maxShown = 20

/** The tokens of a key-pair that can be revoked alone. */
export function KeyPairTokens({ tokens, viewer, actions, nameId, now }: KeyPairTokensProps) {
  const good = tokens.filter(({ revokedAt }) => revokedAt === null)
  if (good.length === 0) return null
  const more = good.length - maxShown
  return (
    <details class="devices">
      <summary aria-describedby={nameId}>
        {good.length === 1 ? '1 revocable token' : `${good.length} revocable tokens`}
      </summary>
      <ul>
        {good.slice(0, maxShown).map((token) => (
          <li key={token.tokenId}>
            <div>
              <p id={`token-${token.tokenId}`}>
                {token.description === '' ? (
                  <code>{token.tokenId}</code>
                ) : (
                  <bdi class="device-name">{token.description}</bdi>
                )}
                {token.device !== null && (
                  <span class="muted">
                    {' '}
                    on <bdi>{token.device}</bdi>
                  </span>
                )}
              </p>
              <p class="muted">
                Last used <Time at={token.lastUsedAt} now={now} never="never" />
                {token.lastIp !== null && <> from {token.lastIp}</>}, issued{' '}
                <Time at={token.issuedAt} now={now} />, expires{' '}
                <Time at={token.expiresAt} now={now} />
              </p>
            </div>
            <form method="post" action={`${actions}/tokens/${token.tokenId}/revoke`}>
              <Nonce viewer={viewer} />
              <button
                type="submit"
                class="button small danger"
                aria-describedby={`token-${token.tokenId}`}
              >
                Revoke
              </button>
            </form>
          </li>
        ))}
      </ul>
      {more > 0 && (
        <p class="muted">
          And {more} more: <code>twinkey token list</code> shows them all.
        </p>
      )}
    </details>
  )
}
