import { createPublicKey, type KeyObject, sign } from 'node:crypto'

// As much of DER (X.690) as a self-signed certificate needs.

function element(tag: number, ...contents: Uint8Array[]): Buffer {
  const content = Buffer.concat(contents)
  const { length } = content
  const size =
    length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}

const sequence = (...contents: Uint8Array[]) => element(0x30, ...contents)
const time = (text: string) => element(0x17, Buffer.from(text))
/** sha256WithRSAEncryption (RFC 4055, section 5). */
const rsaWithSha256 = sequence(
  element(0x06, Buffer.from('2a864886f70d01010b', 'hex')),
  element(0x05),
)

function commonName(text: string): Buffer {
  const attribute = [element(0x06, Buffer.from('550403', 'hex')), element(0x0c, Buffer.from(text))]
  return sequence(element(0x31, sequence(...attribute)))
}

/** @returns A certificate (RFC 5280) for an RSA key, by that key, in DER. */
export function selfSigned(privateKey: KeyObject, name: string): Buffer {
  const publicKey = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  const body = sequence(
    element(0x02, Buffer.from([1])),
    rsaWithSha256,
    commonName(name),
    sequence(time('200101000000Z'), time('491231235959Z')),
    commonName(name),
    publicKey,
  )
  const signature = sign('sha256', body, privateKey)
  return sequence(body, rsaWithSha256, element(0x03, Buffer.from([0]), signature))
}
