import type { KeyPair } from '../domain/key-pair.js'
import { CopyIcon, LimitsIcon, PencilIcon } from './icons.js'
import { KeyPairDevices } from './key-pair-devices.js'
import { KeyPairTokens } from './key-pair-tokens.js'
import { KeyPairLimits } from './key-pair-limits.js'
import type { KeyPairSectionProps } from './key-pair-section.js'
import { Nonce } from './page.js'
import { Sparkline } from './sparkline.js'
import { Time } from './time.js'

type KeyPairTableProps = Pick<
  KeyPairSectionProps,
  'listing' | 'devices' | 'tokens' | 'now' | 'base' | 'userId' | 'viewer'
>

export function KeyPairTable(props: KeyPairTableProps) {
  return (
    <table class="pairs" aria-labelledby="key-pairs-heading">
      <thead>
        <tr>
          <th scope="col">Name</th>
          <th scope="col">API Key</th>
          <th scope="col">Created</th>
          <th scope="col">Last Used</th>
          <th scope="col">Last IP</th>
          <th scope="col">Token</th>
          <th scope="col">Revoke</th>
        </tr>
      </thead>
      <tbody>
        {props.listing.rows.map(({ keyPair, usage }) => (
          <Row key={keyPair.apiKey} {...props} keyPair={keyPair} usage={usage} />
        ))}
      </tbody>
    </table>
  )
}

function Row({
  keyPair,
  usage,
  devices,
  tokens,
  now,
  base,
  userId,
  viewer,
}: KeyPairTableProps & { keyPair: KeyPair; usage: number[] }) {
  const { apiKey, name } = keyPair
  const isRevoked = keyPair.revokedAt !== null
  const nameId = `name-${apiKey}`
  const actions = `${base}/key-pairs/${apiKey}`
  return (
    <tr class={isRevoked ? 'is-revoked' : undefined} data-api-key={apiKey}>
      <th scope="row" class="cell-name" data-label="Name">
        <div class="name-line">
          <bdi class="pair-name" id={nameId}>
            {name}
          </bdi>
          {!isRevoked && (
            <details class="rename">
              <summary class="icon-button" title="Rename" aria-describedby={nameId}>
                <PencilIcon />
                <span class="visually-hidden">Rename</span>
              </summary>
              <form
                method="post"
                action={`${actions}/rename`}
                data-rest={`PATCH /wp-json/wp/v2/key-pair/${userId}/${apiKey}`}
                data-then="renamed"
              >
                <Nonce viewer={viewer} />
                <input
                  name="name"
                  value={name}
                  dir="auto"
                  autocomplete="off"
                  required
                  aria-label="Name"
                />
                <button type="submit" class="button small primary">
                  Save
                </button>
                <p class="field-error" role="alert" />
              </form>
            </details>
          )}
          {!isRevoked && (
            <form method="get" action={`${actions}/limits`} class="limit" data-card>
              <button
                type="submit"
                class="icon-button"
                id={`limits-${apiKey}`}
                title="Limits"
                aria-describedby={nameId}
              >
                <LimitsIcon />
                <span class="visually-hidden">Limits</span>
              </button>
            </form>
          )}
        </div>
        <KeyPairLimits keyPair={keyPair} now={now} />
        {!isRevoked && (
          <KeyPairDevices
            devices={devices.get(keyPair.id) ?? []}
            viewer={viewer}
            actions={actions}
            nameId={nameId}
            now={now}
          />
        )}
        {!isRevoked && (
          <KeyPairTokens
            tokens={tokens.get(keyPair.id) ?? []}
            viewer={viewer}
            actions={actions}
            nameId={nameId}
            now={now}
          />
        )}
      </th>
      <td class="cell-key" data-label="API Key">
        <span class="key-line">
          <code class="copyable">{apiKey}</code>
          <button
            type="button"
            class="icon-button needs-js"
            title="Copy API key"
            data-copy="API key"
            aria-describedby={nameId}
          >
            <CopyIcon />
            <span class="visually-hidden">Copy API key</span>
          </button>
        </span>
      </td>
      <td data-label="Created">
        <Time at={keyPair.createdAt} now={now} />
      </td>
      <td class="cell-used" data-label="Last Used">
        <span class="used">
          <a href={`${base}/activity?api_key=${encodeURIComponent(apiKey)}`} title="Activity">
            <Time at={keyPair.lastUsedAt} now={now} />
          </a>
          <Sparkline days={usage} />
        </span>
      </td>
      <td class="cell-ip" data-label="Last IP">
        {keyPair.lastIp ?? <span class="muted">—</span>}
      </td>
      {isRevoked ? (
        <td class="cell-state" colspan={2} data-label="State">
          <span class="badge">
            Revoked <Time at={keyPair.revokedAt} now={now} />
          </span>
        </td>
      ) : (
        <>
          <td class="cell-action" data-label="Token">
            <form method="get" action={`${actions}/token`} data-card>
              <button
                type="submit"
                class="button small"
                id={`token-${apiKey}`}
                aria-describedby={nameId}
              >
                New Token
              </button>
            </form>
            <form method="get" action={`${actions}/rotate`} data-card>
              <button
                type="submit"
                class="button small"
                id={`rotate-${apiKey}`}
                aria-describedby={nameId}
              >
                Rotate
              </button>
            </form>
          </td>
          <td class="cell-action" data-label="Revoke">
            <form method="get" action={`${actions}/revoke`} data-card>
              <button
                type="submit"
                class="button small danger"
                id={`revoke-${apiKey}`}
                aria-describedby={nameId}
              >
                Revoke
              </button>
            </form>
          </td>
        </>
      )}
    </tr>
  )
}
