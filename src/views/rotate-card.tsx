import type { KeyPair } from '../domain/key-pair.js'
import { CardActions } from './key-pair-cards.js'
import { Nonce, type Viewer } from './page.js'
import { Time } from './time.js'

export interface RotateCardProps {
  viewer: Viewer
  base: string
  userId: number
  keyPair: KeyPair
  now: number
  /** Why it was refused. */
  error?: string
}

const hour = 3600
const overlaps = [
  [24 * hour, '24 hours'],
  [hour, '1 hour'],
  [7 * 24 * hour, '7 days'],
  [30 * 24 * hour, '30 days'],
] as const

/** A page's content without the script, and a dialog's with it. */
export function RotateCard({ viewer, base, userId, keyPair, now, error }: RotateCardProps) {
  const { apiKey, name, previousSecret } = keyPair
  return (
    <section class="card" data-dialog="rotate">
      <h2 tabindex={-1}>
        Rotate the secret of “<bdi>{name}</bdi>”?
      </h2>
      <p>
        The key-pair gets another secret and stays as it is otherwise. The old secret ends, with
        every token that was made with it, when you choose.
      </p>
      {previousSecret && (
        <p>
          It was rotated before: the old secret is good until{' '}
          <Time at={previousSecret.expiresAt} now={now} />. Until then you can only end both.
        </p>
      )}
      <form
        method="post"
        action={`${base}/key-pairs/${apiKey}/rotate`}
        class="stack"
        data-rest={`POST /wp-json/wp/v2/key-pair/${userId}/${apiKey}/rotate`}
        data-then="rotated"
        data-trigger={`rotate-${apiKey}`}
      >
        <Nonce viewer={viewer} />
        <div class="field">
          <label for="overlap">Old secret ends</label>
          <select id="overlap" name="overlap" aria-describedby="overlap-error">
            {!previousSecret &&
              overlaps.map(([seconds, text]) => (
                <option key={seconds} value={String(seconds)}>
                  After {text}
                </option>
              ))}
            <option value="0">At once: it has leaked</option>
          </select>
          <p class="field-error" id="overlap-error" role="alert">
            {error}
          </p>
        </div>
        <CardActions base={base}>
          <button type="submit" class="button primary">
            Rotate
          </button>
        </CardActions>
      </form>
    </section>
  )
}
