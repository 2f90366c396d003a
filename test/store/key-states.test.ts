import type { RevocationReason } from '../../src/domain/key-pair.js'
import { createStores } from '../../src/store/index.js'
import type { NewKeyPair } from '../../src/store/key-pairs.js'
import { insertUser, onEachStore } from '../helpers/with-stores.js'

const revocation = { at: 2000, by: 1, reason: 'revoked' as RevocationReason }

const newPair = (userId: number, apiKey: string, fields: Partial<NewKeyPair> = {}): NewKeyPair => ({
  userId,
  name: apiKey,
  apiKey,
  secret: { scheme: 'sha256', hash: `hash-of-${apiKey}` },
  createdAt: 1000,
  ...fields,
})

onEachStore(
  'the state of many keys is one answer; unknown ones are absent from it',
  async (t, { stores }) => {
    const ada = await insertUser(stores, 'ada')
    const bob = await insertUser(stores, 'bob', { status: 'disabled' })
    const unlimited = {
      secretVersion: 0,
      previousSecret: null,
      policy: { expiresAt: null, scopes: null, networks: null, requireDevice: false },
    }
    const a = await stores.keyPairs.insert(newPair(ada.id, 'aKey'))
    const b = await stores.keyPairs.insert(newPair(bob.id, 'bKey'))
    await stores.keyPairs.revoke(bob.id, 'bKey', revocation)
    t.deepEqual(await stores.keyStates.read(['unknown']), [])
    const states = await stores.keyStates.read(['bKey', 'unknown', 'aKey'])
    t.deepEqual(
      states.sort((x, y) => x.keyPairId - y.keyPairId),
      [
        {
          keyPairId: a.id,
          apiKey: 'aKey',
          userId: ada.id,
          secret: { scheme: 'sha256', hash: 'hash-of-aKey' },
          ...unlimited,
          revokedAt: null,
          user: ada,
        },
        {
          keyPairId: b.id,
          apiKey: 'bKey',
          userId: bob.id,
          secret: { scheme: 'sha256', hash: 'hash-of-bKey' },
          ...unlimited,
          revokedAt: 2000,
          user: bob,
        },
      ],
    )
  },
)

onEachStore('the state read after a revocation has been answered shows it', async (t, context) => {
  const { stores, open } = context
  const { id: userId } = await insertUser(stores, 'ada')
  const other = createStores(open())
  try {
    for (let round = 0; round < 50; round++) {
      const apiKey = `key${round}`
      await stores.keyPairs.insert(newPair(userId, apiKey))
      for (const { keyStates } of [stores, other]) {
        t.is((await keyStates.read([apiKey]))[0]?.revokedAt, null)
      }
      await stores.keyPairs.revoke(userId, apiKey, revocation)
      for (const { keyStates } of [other, stores]) {
        t.is((await keyStates.read([apiKey]))[0]?.revokedAt, 2000)
      }
    }
  } finally {
    other.keyStates.close()
  }
})
