export const boundary = 'twinkey-test-boundary'
export const multipartType = `multipart/form-data; boundary=${boundary}`

export interface Part {
  name: string
  value: string | Buffer
  /** After the name in Content-Disposition, e.g. `; filename="a.txt"`. */
  disposition?: string
  /** More header lines of the part. */
  headers?: readonly string[]
}

/** Builds a multipart body byte by byte, so that it can be wrong in any way. */
export function multipart(
  parts: readonly Part[],
  end = `--${boundary}--\r\n`,
): Uint8Array<ArrayBuffer> {
  const encoded = parts.flatMap(({ name, value, disposition = '', headers = [] }) => [
    `--${boundary}\r\nContent-Disposition: form-data; name="${name}"${disposition}\r\n`,
    ...headers.map((line) => `${line}\r\n`),
    '\r\n',
    value,
    '\r\n',
  ])
  return new Uint8Array(
    Buffer.concat([...encoded, end].map((piece) => Buffer.from(piece as string))),
  )
}
