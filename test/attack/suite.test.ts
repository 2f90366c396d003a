import { attacks } from '../../attack/all.js'
import { runAttacks } from '../../attack/attack.js'
import { enterScene } from '../../attack/scene.js'
import { table } from '../../attack/table.js'
import { createTarget } from '../../attack/target.js'
import { bearer, onEachDatabase, passwordOf } from '../helpers/with-service.js'
import { signWith } from '../oauth-clients/with-signing-key.js'
import { patient } from './patient.js'

// The attacks of `npm run attack`, with all that one can be given: a key-pair, a login, and public keys
// of every type. test/attack/careless.test.ts shows that each kind of them finds what it looks for.

onEachDatabase(
  'no attack on a key-pair and a session succeeds',
  async (t, service) => {
    t.timeout(300_000)
    const user = await service.createUser('ada')
    await service.createUser('bob')
    const pair = await service.mint(user.id)
    for (const algorithm of ['RS256', 'EdDSA', 'ES256'] as const) await signWith(service, algorithm)
    const scene = await enterScene(createTarget(service.url, { timeout: 60_000 }), {
      apiKey: pair.api_key,
      apiSecret: pair.api_secret,
      login: 'ada',
      password: passwordOf('ada'),
    })
    const results = await runAttacks(attacks, scene)
    const failed = results.filter(({ verdict }) => verdict !== 'holds')
    t.deepEqual(
      failed.map(({ attack }) => attack.name),
      [],
      `${table(failed)}\n${service
        .log()
        .match(/.*"level":50.*/g)
        ?.slice(0, 3)
        .join('\n')}`,
    )
    t.false(service.log().includes('"level":50'), 'nothing that was sent is our own failure')
    // Refusals prove something only while the real credentials are accepted.
    const { status } = await service.json('/wp/v2/users/me', {
      headers: bearer(scene.tokens().access),
    })
    t.is(status, 200)
  },
  patient,
)
