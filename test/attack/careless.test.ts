import test from 'ava'
import { attacks } from '../../attack/all.js'
import { type Result, runAttacks } from '../../attack/attack.js'
import { enterScene, SceneError } from '../../attack/scene.js'
import { table } from '../../attack/table.js'
import { createTarget } from '../../attack/target.js'
import { type Flaw, pair, startCareless } from './careless-server.js'

// An attack that finds nothing anywhere proves nothing: each of these flaws must be found.

const found: Record<Flaw, readonly string[]> = {
  'takes "none" for an algorithm': [
    'jwt: no algorithm',
    'CVE-2022-23540',
    'jwt: duplicate members',
  ],
  'compares with an empty signature': ['jwt: no algorithm', 'CVE-2026-23993'],
  'verifies nothing': ['jwt: a signature that is none', 'jwt: another key', 'CVE-2025-30144'],
  'lets the header choose the algorithm': [
    'jwt: a public key as HMAC secret, in all forms',
    'CVE-2015-9235',
    'CVE-2016-10555',
    'CVE-2021-46743',
    'CVE-2022-23541',
    'CVE-2026-22817',
  ],
  'uses the key in the header': ['jwt: the key brought along', 'CVE-2018-0114'],
  'fetches the key that the header names': ['jwt: the key at an address'],
  'reads the secret from the file that the key id names': ['jwt: injection by the key id'],
  'forgives base64': ['jwt: the real token, spelled differently'],
  'lets refresh tokens in': ['jwt: one kind of credential'],
  'reflects origins': ['web: CORS'],
  'believes X-Forwarded-Host': ['http: poisoned caches'],
  'lets answers be kept': ['http: poisoned caches'],
  'mints for whoever asks': ['CVE-2025-61928'],
  'reads key-pairs from the query': ['api: parameters twice'],
  'redirects anywhere': ['web: open redirects'],
  'fails at bad JSON': ['api: parameters twice'],
  'never answers bad JSON': ['api: parameters twice'],
  'believes X-Auth-User-Id': ['http: an identity that the request brings'],
}

async function attackCareless(flaw: Flaw | undefined, names: readonly string[]): Promise<Result[]> {
  const server = await startCareless(flaw)
  try {
    const patient = createTarget(server.url, { timeout: 60_000 })
    const scene = await enterScene(patient, { apiKey: pair.api_key, apiSecret: pair.api_secret })
    const target = flaw?.startsWith('never') ? createTarget(server.url, { timeout: 500 }) : patient
    const chosen = attacks.filter(({ name }) => names.some((start) => name.startsWith(start)))
    return await runAttacks(chosen, { ...scene, target })
  } finally {
    await server.close()
  }
}

for (const [flaw, names] of Object.entries(found) as [Flaw, readonly string[]][]) {
  test(`a service that ${flaw} is found out`, async (t) => {
    const results = await attackCareless(flaw, names)
    t.is(results.length, names.length)
    t.deepEqual(
      results.filter(({ verdict }) => verdict !== 'FINDING').map(({ attack }) => attack.name),
      [],
      table(results),
    )
  })
}

test('nothing is found where there is no flaw', async (t) => {
  const results = await attackCareless(undefined, Object.values(found).flat())
  const failed = results.filter(({ verdict }) => verdict !== 'holds')
  t.deepEqual(
    failed.map(({ attack }) => attack.name),
    [],
    table(failed),
  )
})

test('without credentials it runs what needs none, and says what it left out', async (t) => {
  const server = await startCareless()
  try {
    const results = await runAttacks(attacks, await enterScene(createTarget(server.url), {}))
    const skipped = results.filter(({ verdict }) => verdict === 'skipped')
    t.true(skipped.length > 20 && skipped.length < results.length)
    t.true(skipped.every(({ attack, seen }) => seen === `needs ${missing(attack.needs)}`))
    t.regex(table(results), /jwt: no algorithm.* needs a key-pair +skipped/)
    await t.throwsAsync(enterScene(createTarget(server.url), { apiKey: 'x', apiSecret: 'y' }), {
      instanceOf: SceneError,
      message: /^The key-pair was refused: 403/,
    })
  } finally {
    await server.close()
  }
})

const missing = (needs: readonly string[] = []) =>
  needs.filter((need) => need !== 'public keys').join(' and ')

test('every published hole of the list is a case of its own', (t) => {
  const named = attacks.flatMap(({ cve }) => cve ?? []).sort()
  t.deepEqual(named, [...new Set(named)])
  t.deepEqual(named, [
    'CVE-2015-9235',
    'CVE-2016-10555',
    'CVE-2018-0114',
    'CVE-2021-46743',
    'CVE-2022-21449',
    'CVE-2022-23529',
    'CVE-2022-23539',
    'CVE-2022-23540',
    'CVE-2022-23541',
    'CVE-2022-29217',
    'CVE-2022-36083',
    'CVE-2023-48223',
    'CVE-2024-28176',
    'CVE-2024-33663',
    'CVE-2024-33664',
    'CVE-2025-30144',
    'CVE-2025-61928',
    'CVE-2026-22817',
    'CVE-2026-23993',
    'CVE-2026-34950',
  ])
  t.true(attacks.every(({ cve, note }) => cve === undefined || (note ?? '') !== ''))
  t.is(new Set(attacks.map(({ name }) => name)).size, attacks.length)
})
