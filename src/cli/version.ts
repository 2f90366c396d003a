import { createRequire } from 'node:module'

export function readVersion(): string {
  // By the package's own name, which works from the sources and from the build alike.
  const { version } = createRequire(import.meta.url)('twinkey/package.json') as { version: string }
  return version
}
