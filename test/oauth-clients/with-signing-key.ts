import type { SigningAlgorithm } from '../../src/domain/signing-key.js'
import type { Service } from '../helpers/with-service.js'

/**
 * Lets a key sign that was published long ago, as far as the service knows: clients look at the real
 * clock, so the service's must be right again afterwards.
 *
 * @returns The key's id; `undefined` for the secret.
 */
export async function signWith(
  service: Service,
  algorithm: SigningAlgorithm,
): Promise<string | undefined> {
  service.advance(-60)
  const { current } = await service.runtime.services.signingKeys.rotate(algorithm)
  service.advance(60)
  await service.runtime.services.keyRing.reload()
  return current?.kid
}
