import { createPublicKey } from 'node:crypto'
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose'
import { JwksClient } from 'jwks-rsa'
import { keyAlgorithms } from '../../src/domain/signing-key.js'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'
import { signWith } from './with-signing-key.js'

/** Somebody who was told the address of the key set, and nothing else. */
const verifiers = {
  jose(service: Service) {
    const jwks = createRemoteJWKSet(new URL('/.well-known/jwks.json', service.url), {
      cooldownDuration: 0,
    })
    return async (token: string) => (await jwtVerify(token, jwks, { issuer: service.url })).payload
  },
  'jwks-rsa'(service: Service) {
    const jwks = new JwksClient({ jwksUri: `${service.url}/.well-known/jwks.json`, cache: false })
    return async (token: string) => {
      const { kid } = decodeProtectedHeader(token)
      const key = createPublicKey((await jwks.getSigningKey(kid)).getPublicKey())
      return (await jwtVerify(token, key, { issuer: service.url })).payload
    }
  },
}

for (const [name, createVerifier] of Object.entries(verifiers)) {
  onEachDatabase(
    `${name} verifies what each of the keys has signed, through all rotations`,
    async (t, service) => {
      const user = await service.createUser('ada')
      const pair = await service.mint(user.id)
      const verify = createVerifier(service)
      const tokens: string[] = []
      const kids: (string | undefined)[] = []
      for (const algorithm of keyAlgorithms) {
        kids.push(await signWith(service, algorithm))
        const { access_token } = await service.exchange(pair)
        t.like(decodeProtectedHeader(access_token), {
          alg: algorithm,
          kid: kids.at(-1),
          typ: 'JWT',
        })
        tokens.push(access_token)
        for (const token of tokens) t.is((await verify(token)).sub, String(user.id))
      }
      await service.runtime.services.signingKeys.retire(kids[0] ?? '')
      await service.runtime.services.keyRing.reload()
      await t.throwsAsync(createVerifier(service)(tokens[0] ?? ''), { any: true })
      const [retired, alive] = await Promise.all(
        tokens
          .slice(0, 2)
          .map((token) => service.json('/wp/v2/token/validate', { headers: bearer(token) })),
      )
      t.is(retired?.body.code, 'rest_authentication_token_error')
      t.is(alive?.status, 200)
    },
  )
}

onEachDatabase('the key set holds what is public, for as long as it says', async (t, service) => {
  const { services } = service.runtime
  const jwks = () => service.json('/.well-known/jwks.json')
  t.deepEqual((await jwks()).body, { keys: [] }, 'the secret is nobody’s business')
  const next = await services.signingKeys.generate('RS256')
  const kid = await signWith(service, 'ES256')
  await signWith(service, 'EdDSA')
  const { body, headers } = await jwks()
  t.is(headers.get('Content-Type'), 'application/jwk-set+json')
  t.is(headers.get('Cache-Control'), 'public, max-age=60')
  t.is(headers.get('Access-Control-Allow-Origin'), '*')
  const keys = body.keys as Record<string, string>[]
  t.deepEqual(
    keys.map(({ alg }) => alg),
    ['RS256', 'ES256', 'EdDSA'],
  )
  t.is(keys[0]?.kid, next.kid)
  t.is(keys[1]?.kid, kid)
  const members = { RS256: 'alg,e,kid,kty,n,use', ES256: 'alg,crv,kid,kty,use,x,y' }
  for (const [alg, names] of Object.entries({ ...members, EdDSA: 'alg,crv,kid,kty,use,x' })) {
    const key = keys.find((candidate) => candidate.alg === alg)
    t.is(
      Object.keys(key ?? {})
        .sort()
        .join(),
      names,
    )
  }
})
