import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** @returns The path of a program, or `undefined` if this machine does not have it. */
export function findBinary(...names: string[]): string | undefined {
  // Debian keeps servers where a user's PATH often does not look.
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin']
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined
}
