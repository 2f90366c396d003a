import type { KeyPair } from '../domain/key-pair.js'
import type { PolicyChoices } from '../services/key-pairs.js'
import { CardActions } from './key-pair-cards.js'
import { Nonce, type Viewer } from './page.js'
import { PolicyFields } from './policy-fields.js'

export interface LimitsCardProps {
  viewer: Viewer
  base: string
  userId: number
  keyPair: KeyPair
  choices: PolicyChoices
  now: number
  /** Why it was refused. */
  error?: string
}

/** A page's content without the script, and a dialog's with it. */
export function LimitsCard(props: LimitsCardProps) {
  const { viewer, base, userId, keyPair, choices, now, error } = props
  const { apiKey, name } = keyPair
  return (
    <section class="card" data-dialog="limits">
      <h2 tabindex={-1}>
        Limits of “<bdi>{name}</bdi>”
      </h2>
      <p class="lead">They hold at once, for its tokens too.</p>
      <form
        method="post"
        action={`${base}/key-pairs/${apiKey}/limits`}
        class="stack"
        data-rest={`PATCH /wp-json/wp/v2/key-pair/${userId}/${apiKey}`}
        data-then="limited"
        data-trigger={`limits-${apiKey}`}
      >
        <Nonce viewer={viewer} />
        <PolicyFields choices={choices} now={now} keyPair={keyPair} idPrefix="limits-" />
        <p class="field-error" role="alert">
          {error}
        </p>
        <CardActions base={base}>
          <button type="submit" class="button primary">
            Save
          </button>
        </CardActions>
      </form>
    </section>
  )
}
