import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmdirSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export interface Tmpfs {
  folder: string
  /** Makes all of it read-only, for root, too. */
  makeReadOnly(): void
  makeWritable(): void
  remove(): void
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`)
}

/** A small file system of its own, which can be full. Needs the right to mount. */
export function mountTmpfs(size: string): Tmpfs {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-tmpfs-'))
  try {
    run('mount', '-t', 'tmpfs', '-o', `size=${size}`, 'tmpfs', folder)
  } catch (error) {
    rmdirSync(folder)
    throw error
  }
  return {
    folder,
    makeReadOnly: () => run('mount', '-o', 'remount,ro', folder),
    makeWritable: () => run('mount', '-o', 'remount,rw', folder),
    remove() {
      // Lazily: what still has a file open there must not keep the mount.
      run('umount', '-l', folder)
      rmdirSync(folder)
    },
  }
}

let isAllowed: boolean | undefined

/** Whether this user and machine may. Where not, `test/run.ts` says so, or fails if TEST_REQUIRE asks. */
export function canMountTmpfs(): boolean {
  if (isAllowed !== undefined) return isAllowed
  try {
    mountTmpfs('64k').remove()
    isAllowed = true
  } catch {
    isAllowed = false
  }
  return isAllowed
}
