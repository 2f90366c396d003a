import type { VNode } from 'preact'

/** One card in the middle of a page. */
export function narrow(card: VNode) {
  return <div class="narrow">{card}</div>
}
