import type { Scene } from './scene.js'

/** What an attack cannot do without. */
export type Need = 'a key-pair' | 'a login' | 'public keys'

/** One thing that an attacker tries. */
export interface Attack {
  /** E.g. `jwt: no algorithm`. Unique. */
  name: string
  /** What a sound service does, in a few words. */
  expectation: string
  needs?: readonly Need[]
  /** The published hole that it was once. */
  cve?: string
  /** What that hole would have been here. */
  note?: string
  run(scene: Scene, see: See): Promise<void>
}

/**
 * Takes down what was seen.
 *
 * @param what Names the try, so that it can be repeated by hand.
 * @param seen The answer, or what there was instead of one.
 * @param isSound Whether a sound service may answer so. Failures of the service (5xx) never are sound.
 */
export type See = (what: string, seen: { status: number } | string, isSound: boolean) => void

export type Verdict = 'holds' | 'FINDING' | 'unclear' | 'skipped'

export interface Result {
  attack: Attack
  verdict: Verdict
  /** What came, by how often, e.g. `403 ×24`; for a skipped attack, what it lacks. */
  seen: string
  /** What a sound service would not have done. */
  findings: string[]
}

/** Runs one attack after the other: what one does must not show in what another sees. */
export async function runAttacks(
  attacks: readonly Attack[],
  scene: Scene,
  done: (result: Result) => void = () => {},
): Promise<Result[]> {
  const results: Result[] = []
  for (const attack of attacks) {
    const missing = (attack.needs ?? []).filter((need) => !scene.has(need))
    const result: Result =
      missing.length > 0
        ? { attack, verdict: 'skipped', seen: `needs ${missing.join(' and ')}`, findings: [] }
        : await runAttack(attack, scene)
    results.push(result)
    done(result)
  }
  return results
}

async function runAttack(attack: Attack, scene: Scene): Promise<Result> {
  const counts = new Map<string, number>()
  const findings: string[] = []
  let isUnclear = false
  const see: See = (what, seen, isSound) => {
    const label = typeof seen === 'string' ? seen : String(seen.status)
    counts.set(label, (counts.get(label) ?? 0) + 1)
    const status = typeof seen === 'string' ? 0 : seen.status
    // Limits and proxies answer in the place of what was to be tried.
    const isNoAnswer = [429, 502, 503, 504].includes(status)
    if (isNoAnswer) isUnclear = true
    else if (!isSound || status >= 500) findings.push(`${what}: ${label}`)
  }
  try {
    await attack.run(scene, see)
  } catch (error) {
    // A service that does not answer at all has been brought down, or hangs.
    if (!(error instanceof Error) || error.name !== 'NoAnswer') throw error
    see(error.message, 'no answer', false)
  }
  const verdict =
    findings.length > 0 ? 'FINDING' : isUnclear || counts.size === 0 ? 'unclear' : 'holds'
  const seen = [...counts].map(([label, count]) => (count > 1 ? `${label} ×${count}` : label))
  return { attack, verdict, seen: seen.join(', ') || 'nothing to try', findings }
}
