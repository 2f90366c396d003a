import { createHmac, type KeyObject, sign } from 'node:crypto'
import type { See } from './attack.js'
import { introspection, postForm, type Scene, tokenPath } from './scene.js'

// Tokens as no honest issuer would make them.

export type Json = Record<string, unknown>

export function base64url(value: string | Uint8Array | object): string {
  const isPlain = typeof value === 'string' || value instanceof Uint8Array
  return Buffer.from(isPlain ? (value as string) : JSON.stringify(value)).toString('base64url')
}

/** A token taken to pieces. */
export function take(token: string) {
  const [header = '', payload = '', signature = ''] = token.split('.')
  const read = (part: string): Json => JSON.parse(Buffer.from(part, 'base64url').toString())
  return { header, payload, signature, head: read(header), claims: read(payload) }
}

/** @param header An object, or the text that is to stand for one. */
export function hmacToken(
  header: Json | string,
  claims: Json | string,
  secret: string | Uint8Array,
  bits: 256 | 384 | 512 = 256,
): string {
  const input = `${base64url(header)}.${base64url(claims)}`
  return `${input}.${createHmac(`sha${bits}`, secret).update(input).digest('base64url')}`
}

/** Signs as the key's type would have it: ES256, RS256 or EdDSA. */
export function keyToken(header: Json | string, claims: Json | string, key: KeyObject): string {
  const input = `${base64url(header)}.${base64url(claims)}`
  const hash = key.asymmetricKeyType === 'ed25519' ? null : 'sha256'
  const signature = sign(hash, Buffer.from(input), { key, dsaEncoding: 'ieee-p1363' })
  return `${input}.${signature.toString('base64url')}`
}

/** Somebody else's claims, in the form of the real ones: what a forger would like to be believed. */
export function wishes(scene: Scene): Json {
  const { claims } = take(scene.tokens().access)
  return { ...claims, jti: 'forged', exp: Number(claims.exp) + 86_400 }
}

/** Offers each token wherever a bearer is judged: all are to be refused. */
export async function offer(
  { surfaces }: Scene,
  see: See,
  tokens: Record<string, string>,
): Promise<void> {
  await Promise.all(
    Object.entries(tokens).flatMap(([what, token], index) =>
      surfaces.map(async (surface) => {
        // Questions of one key-pair about bad tokens are limited, and are judged as everywhere else.
        if (surface.name === introspection && index % 10 > 0) return
        const answer = await surface.present(token)
        if (!answer) return
        const isAccepted = surface.accepts(answer)
        const seen = isAccepted ? 'accepted' : answer.status === 200 ? 'inactive' : answer
        see(`${what}, at ${surface.name}`, seen, !isAccepted)
      }),
    ),
  )
}

/** Offers each token in exchange for others: all are to be refused. */
export async function offerRefresh(
  { target }: Scene,
  see: See,
  tokens: Record<string, string>,
): Promise<void> {
  for (const [what, token] of Object.entries(tokens)) {
    const answer = await postForm(target, tokenPath, { refresh_token: token })
    see(`${what}, as a refresh token`, answer, answer.status >= 400)
  }
}
