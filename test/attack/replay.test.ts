import type { ExecutionContext } from 'ava'
import { operator, type SessionActor } from '../../src/domain/actor.js'
import type { User } from '../../src/domain/user.js'
import {
  bearer,
  onEachDatabase,
  type Pair,
  passwordOf,
  type Service,
} from '../helpers/with-service.js'
import { signWith } from '../oauth-clients/with-signing-key.js'
import { patient } from './patient.js'

// What was good a moment ago, sent once more after the end of what it stands for.

interface World {
  service: Service
  user: User
  pair: Pair
  administrator: SessionActor
  /** Of the key that signed the access token. */
  kid: string | undefined
}

/** What ends a token, and what it leaves: the exchange of the same key-pair, or nothing. */
const endings: Record<string, { end(world: World): Promise<unknown>; leaves?: 'the key-pair' }> = {
  'revoking the key-pair': {
    end: ({ service, user, pair }) =>
      service.runtime.services.keyPairs.revoke(operator, user.id, pair.api_key),
  },
  'revoking all': {
    end: ({ service, user }) => service.runtime.services.keyPairs.revokeAll(operator, user.id),
  },
  'the key-pair’s own wish': {
    end: ({ service, pair }) =>
      service.json('/oauth2/revoke', {
        fields: { client_id: pair.api_key, client_secret: pair.api_secret, token: pair.api_key },
      }),
  },
  'disabling the user': {
    end: ({ service, administrator, user }) =>
      service.runtime.services.userAdministration.disable(administrator, user.id),
  },
  'a new password': {
    async end({ service, user }) {
      const { headers } = await service.logIn(user.login)
      const json = { old_password: passwordOf(user.login), new_password: 'another-password' }
      return service.json('/wp/v2/users/me/password', { headers, json })
    },
  },
  'a password reset by an administrator': {
    end: ({ service, administrator, user }) =>
      service.runtime.services.userAdministration.resetPassword(administrator, user.id, undefined),
  },
  'rotating the secret': {
    end: ({ service, user, pair }) =>
      service.runtime.services.keyPairs.rotate(operator, user.id, pair.api_key, 0),
  },
  'the end of a rotation’s overlap': {
    async end({ service, user, pair }) {
      await service.runtime.services.keyPairs.rotate(operator, user.id, pair.api_key, 60)
      service.advance(61)
    },
  },
  'the key-pair’s expiry': {
    async end({ service, user, pair }) {
      const expiresAt = service.now() + 60
      await service.runtime.services.keyPairs.change(operator, user.id, pair.api_key, { expiresAt })
      service.advance(61)
    },
  },
  'a network of its own': {
    end: ({ service, user, pair }) =>
      service.runtime.services.keyPairs.change(operator, user.id, pair.api_key, {
        networks: ['203.0.113.0/24'],
      }),
  },
  'another e-mail address': {
    // No surface changes one; an operator with SQL may.
    end: ({ service, user }) =>
      service.runtime.db('users').where({ id: user.id }).update({ user_email: 'other@sample.org' }),
    leaves: 'the key-pair',
  },
  'deleting the user': {
    async end({ service, user }) {
      const { db } = service.runtime
      await db('key_pairs').where({ user_id: user.id }).delete()
      await db('users').where({ id: user.id }).delete()
    },
  },
}

interface Tokens {
  access: string
  refresh: string
}

async function replay(service: Service, { access, refresh }: Tokens, pair: Pair) {
  const asked = [
    ...[
      '/wp/v2/token/validate',
      '/wp/v2/users/me',
      '/forward-auth',
      '/wp-json/wp/v2/token/validate/',
    ].map((path) => service.fetch(path, { headers: bearer(access) })),
    service.fetch('/wp/v2/token/validate', { headers: bearer(refresh) }),
    service.fetch('/wp/v2/token', {
      method: 'POST',
      body: new URLSearchParams({ refresh_token: refresh }),
    }),
    service.fetch('/wp/v2/token', { method: 'POST', body: new URLSearchParams({ ...pair }) }),
  ]
  return Promise.all(asked.map(async (answer) => (await answer).status))
}

async function assertEnded(t: ExecutionContext, statuses: number[], leaves: string | undefined) {
  const [exchange, ...tokens] = [...statuses].reverse()
  t.true(
    tokens.every((status) => status === 401 || status === 403),
    `${statuses}`,
  )
  t.is(exchange, leaves ? 200 : 403)
}

for (const [what, { end, leaves }] of Object.entries(endings)) {
  onEachDatabase(
    `no token outlives ${what}, remembered or not, by secret or by key`,
    async (t, service) => {
      const admin = await service.createUser('root', 'administrator')
      const user = await service.createUser('ada')
      const pair = await service.mint(user.id)
      const tokensOf = async (): Promise<Tokens> => {
        const { access_token: access, refresh_token: refresh } = await service.exchange(pair)
        return { access, refresh }
      }
      const bySecret = await tokensOf()
      const kid = await signWith(service, 'ES256')
      const byKey = await tokensOf()
      const unused = await tokensOf()
      for (const tokens of [bySecret, byKey]) {
        for (let i = 0; i < 3; i++) {
          t.deepEqual(await replay(service, tokens, pair), [200, 200, 204, 200, 200, 200, 200])
        }
      }
      const administrator: SessionActor = {
        kind: 'session',
        user: admin,
        sessionId: 'none',
        secondFactorAt: null,
      }
      await end({ service, user, pair, administrator, kid })
      for (const tokens of [bySecret, byKey, unused]) {
        await assertEnded(t, await replay(service, tokens, pair), leaves)
      }
    },
    patient,
  )
}

onEachDatabase('no token outlives the key that signed it', async (t, service) => {
  const user = await service.createUser('ada')
  const pair = await service.mint(user.id)
  const kid = await signWith(service, 'ES256')
  const { access_token: access, refresh_token: refresh } = await service.exchange(pair)
  await signWith(service, 'RS256')
  for (let i = 0; i < 3; i++) {
    t.deepEqual(
      await replay(service, { access, refresh }, pair),
      [200, 200, 204, 200, 200, 200, 200],
    )
  }
  await service.runtime.services.signingKeys.retire(kid ?? '')
  await service.runtime.services.keyRing.reload()
  const statuses = await replay(service, { access, refresh }, pair)
  t.deepEqual(statuses, [403, 403, 401, 403, 200, 200, 200], 'refresh tokens are the secret’s')
})
