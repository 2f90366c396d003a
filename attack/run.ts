/**
 * `npm run attack -- URL [--api-key K --api-secret S] [--login L --password P] [--only TEXT] [--json]`
 *
 * Attacks a deployment of Twinkey and prints a table. The code at the end is 1 where there is a
 * finding, 2 where the deployment could not be attacked. Secrets may come from the environment, where
 * other users of this machine do not see them: API_KEY, API_SECRET, LOGIN and PASSWORD.
 */
import { parseArgs } from 'node:util'
import { attacks } from './all.js'
import { runAttacks } from './attack.js'
import { enterScene, SceneError } from './scene.js'
import { table } from './table.js'
import { createTarget, NoAnswer } from './target.js'

const usage = `Usage: npm run attack -- URL [options]

  --api-key KEY, --api-secret SECRET   a key-pair, which most attacks need
  --login LOGIN, --password PASSWORD   a person, for the attacks on sessions
  --only TEXT                          only attacks whose name has this text
  --json                               results as JSON

Instead of options: API_KEY, API_SECRET, LOGIN, PASSWORD in the environment.
Attack only what is yours: key-pairs named "attack" are minted and revoked again.`

const env = process.env

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      'api-key': { type: 'string', default: env.API_KEY ?? '' },
      'api-secret': { type: 'string', default: env.API_SECRET ?? '' },
      login: { type: 'string', default: env.LOGIN ?? '' },
      password: { type: 'string', default: env.PASSWORD ?? '' },
      only: { type: 'string', default: '' },
      json: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const [url = ''] = positionals
  if (values.help) {
    console.log(usage)
    return 0
  }
  if (!/^https?:$/.test(URL.canParse(url) ? new URL(url).protocol : '')) {
    console.error(usage)
    return 2
  }
  const target = createTarget(url)
  const scene = await enterScene(target, {
    apiKey: values['api-key'],
    apiSecret: values['api-secret'],
    login: values.login,
    password: values.password,
  })
  const chosen = attacks.filter(({ name }) =>
    name.toLowerCase().includes(values.only.toLowerCase()),
  )
  const results = await runAttacks(chosen, scene, ({ attack, verdict }) => {
    if (!values.json) console.error(`${verdict.padEnd(8)} ${attack.name}`)
  })
  if (values.json) console.log(JSON.stringify(results, null, 2))
  else console.log(`\n${table(results)}\n\n${summary(results.map(({ verdict }) => verdict))}`)
  if (target.throttled() > 0) {
    console.error(
      `The service slowed the attack down: ${target.throttled()} answers were 429. "unclear" is what was not judged because of that.`,
    )
  }
  return results.some(({ verdict }) => verdict === 'FINDING') ? 1 : 0
}

function summary(verdicts: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const verdict of verdicts) counts.set(verdict, (counts.get(verdict) ?? 0) + 1)
  return [...counts].map(([verdict, count]) => `${count} ${verdict}`).join(', ')
}

try {
  process.exitCode = await main()
} catch (error) {
  const isExpected = error instanceof SceneError || error instanceof NoAnswer
  console.error(isExpected ? error.message : error)
  process.exitCode = 2
}
