import { randomBytes } from 'node:crypto'
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
} from 'node:fs'
import { copyFile } from 'node:fs/promises'
import { dirname } from 'node:path'
import Database from 'better-sqlite3'
import { migrationNames } from '../../db/migration-source.js'

/** A backup or a restore that was not done; the message says why, and what would help. */
export class BackupError extends Error {
  override readonly name = 'BackupError'
}

/** What a backup says about itself, beside the data. */
export interface BackupFacts {
  /** Seconds since the Unix epoch. */
  createdAt: number
  /** Of Twinkey. */
  version: string
  /** Only if whoever made it asked for that. */
  secrets: BackupSecrets
}

export interface BackupSecrets {
  jwtSecret?: string
  keyEncryptionKey?: string
}

/** Kept in the copy, and taken out again when it is restored. */
const factsTable = 'twinkey_backup'

/** All pages at once: the copy would begin again whenever another process wrote between two steps. */
const allPages = 0x7fffffff

/**
 * Copies a database that may be in use, as it is at one moment after the call, into one file that
 * its owner only can read.
 *
 * @returns The size of the copy, in bytes.
 * @throws {BackupError} if there is no such database, or the file exists and may not be replaced.
 */
export async function backUpSqlite(
  filename: string,
  file: string,
  facts: BackupFacts,
  { replace = false }: { replace?: boolean } = {},
): Promise<number> {
  if (!existsSync(filename)) throw new BackupError(`There is no database at ${filename}.`)
  if (existsSync(file) && !replace) {
    throw new BackupError(`${file} exists. Choose another name, or replace it with --force.`)
  }
  if (!existsSync(dirname(file))) throw new BackupError(`There is no directory ${dirname(file)}.`)
  return inDraft(file, async (draft) => {
    // Before a byte of it is written, so that nobody can open it meanwhile.
    closeSync(openSync(draft, 'wx', 0o600))
    const source = openExisting(filename, { readonly: true })
    try {
      await source.backup(draft, { progress: () => allPages })
    } finally {
      source.close()
    }
    const size = usingFile(draft, (copy) => {
      addFacts(copy, facts)
      assertSound(copy, draft)
      return Number(copy.pragma('page_count', { simple: true })) * pageSize(copy)
    })
    syncFile(draft)
    if (replace) renameSync(draft, file)
    else linkSync(draft, file)
    return size
  })
}

export interface RestoreOptions {
  /** Whether a database that is there may be put aside. */
  replace: boolean
  /** For the name under which that one is kept, e.g. `20261123T142205Z`. */
  stamp: string
}

export interface Restored {
  facts: BackupFacts | undefined
  /** Where the database is now that was there before. */
  kept: string | undefined
  /** Migrations that the next start will run. */
  pending: number
}

/**
 * Puts a copy in the place of a database, after looking whether it is whole and ours. What was there is
 * kept beside it.
 *
 * @throws {BackupError} if the copy is not good, or there is a database that is in use or may not be
 *   replaced. Nothing has been changed then.
 */
export async function restoreSqlite(
  file: string,
  filename: string,
  { replace, stamp }: RestoreOptions,
): Promise<Restored> {
  if (!existsSync(file)) throw new BackupError(`There is no file ${file}.`)
  if (existsSync(`${file}-wal`)) {
    throw new BackupError(
      `${file} has a write-ahead log beside it: it is in use, or was copied while it was. Make the copy with \`twinkey backup\`.`,
    )
  }
  if (existsSync(filename) && !replace) {
    throw new BackupError(
      `${filename} exists. With --force it is put aside, under another name, and replaced.`,
    )
  }
  mkdirSync(dirname(filename), { recursive: true, mode: 0o700 })
  return inDraft(filename, async (draft) => {
    closeSync(openSync(draft, 'wx', 0o600))
    await copyFile(file, draft)
    const { facts, pending } = usingFile(draft, (copy) => {
      assertSound(copy, file)
      return { pending: countPending(copy, file), facts: takeFacts(copy) }
    })
    syncFile(draft)
    const release = existsSync(filename) ? holdAlone(filename) : () => {}
    try {
      const kept = existsSync(filename) ? `${filename}.before-restore-${stamp}` : undefined
      if (kept) putAside(filename, kept)
      renameSync(draft, filename)
      return { facts, kept, pending }
    } finally {
      release()
    }
  })
}

/** Work on a file beside the wanted one, of which nothing stays behind. */
async function inDraft<T>(file: string, work: (draft: string) => Promise<T>): Promise<T> {
  const draft = `${file}.${randomBytes(6).toString('hex')}.tmp`
  try {
    return await work(draft)
  } finally {
    for (const suffix of ['', '-journal', '-wal', '-shm']) rmSync(draft + suffix, { force: true })
  }
}

function openExisting(filename: string, options: Database.Options = {}): Database.Database {
  return new Database(filename, { fileMustExist: true, timeout: 5000, ...options })
}

/** @throws {BackupError} in our words, where SQLite finds that it is no database. */
function usingFile<T>(
  file: string,
  work: (db: Database.Database) => T,
  options: Database.Options = {},
): T {
  let db: Database.Database | undefined
  try {
    db = openExisting(file, options)
    // One file, whatever the original did: no -wal that could be lost on the way.
    if (!options.readonly) db.pragma('journal_mode = DELETE')
    return work(db)
  } catch (error) {
    if (!(error instanceof Error) || !/^SQLITE_(NOTADB|CORRUPT)/.test(codeOf(error))) throw error
    throw new BackupError(`This is no whole SQLite database: ${error.message}.`, { cause: error })
  } finally {
    db?.close()
  }
}

function assertSound(db: Database.Database, file: string): void {
  const problems = db.pragma('integrity_check(3)', { simple: true })
  if (problems !== 'ok') throw new BackupError(`${file} is damaged: ${problems}.`)
  const orphans = db.pragma('foreign_key_check') as unknown[]
  if (orphans.length > 0) {
    throw new BackupError(
      `${file} is damaged: ${orphans.length} rows name others that are missing.`,
    )
  }
}

/** @throws {BackupError} if the schema is not ours, or of a version that this one does not know. */
function countPending(db: Database.Database, file: string): number {
  if (!hasTable(db, 'migrations') || !hasTable(db, 'key_pairs')) {
    throw new BackupError(`${file} is a database, but not one of Twinkey.`)
  }
  const done = db.prepare<[], string>('select name from migrations').pluck().all()
  const unknown = done.filter((name) => !migrationNames.includes(name))
  if (unknown.length > 0) {
    throw new BackupError(
      `${file} is of a newer version of Twinkey: this one does not know ${unknown.join(', ')}.`,
    )
  }
  return migrationNames.length - done.length
}

function addFacts(db: Database.Database, { createdAt, version, secrets }: BackupFacts): void {
  // Also one that a hand-copied backup has brought into the live database.
  db.exec(`drop table if exists ${factsTable}; create table ${factsTable} (name text, value text)`)
  const add = db.prepare(`insert into ${factsTable} (name, value) values (?, ?)`)
  for (const [name, value] of Object.entries({ createdAt, version, ...secrets })) {
    add.run(name, String(value))
  }
}

function readFacts(db: Database.Database): BackupFacts | undefined {
  if (!hasTable(db, factsTable)) return undefined
  const rows = db.prepare<[], [string, string]>(`select name, value from ${factsTable}`).raw().all()
  const { createdAt, version, jwtSecret, keyEncryptionKey } = Object.fromEntries(rows)
  return {
    createdAt: Number(createdAt),
    version: version ?? '',
    secrets: { ...(jwtSecret && { jwtSecret }), ...(keyEncryptionKey && { keyEncryptionKey }) },
  }
}

/** Takes them out of the file for good: no secret stays behind in a page that is free again. */
function takeFacts(db: Database.Database): BackupFacts | undefined {
  const facts = readFacts(db)
  if (facts) {
    db.pragma('secure_delete = ON')
    db.exec(`drop table ${factsTable}`)
  }
  return facts
}

function hasTable(db: Database.Database, name: string): boolean {
  const query = "select 1 from sqlite_master where type = 'table' and name = ?"
  return db.prepare(query).get(name) !== undefined
}

function pageSize(db: Database.Database): number {
  return Number(db.pragma('page_size', { simple: true }))
}

/**
 * Makes sure that nobody else has the database open, and that nobody opens it for now. Leaving the
 * write-ahead log needs exactly that, and makes one file of what is kept.
 *
 * @throws {BackupError} if it is in use.
 */
function holdAlone(filename: string): () => void {
  let db: Database.Database | undefined
  try {
    db = openExisting(filename, { timeout: 500 })
    db.pragma('journal_mode = DELETE')
    db.exec('begin exclusive')
    return () => db?.close()
  } catch (error) {
    db?.close()
    const code = codeOf(error)
    if (/^SQLITE_BUSY/.test(code)) {
      throw new BackupError(
        `${filename} is in use. Stop Twinkey first, with all its workers; nothing was changed.`,
        { cause: error },
      )
    }
    // A damaged one, which is perhaps why there is a restore. Nobody can be at work on it.
    if (/^SQLITE_(NOTADB|CORRUPT)/.test(code)) return () => {}
    throw error
  }
}

function putAside(filename: string, kept: string): void {
  renameSync(filename, kept)
  // The remains of one that could not be opened: they belong to it, never to the new one.
  for (const suffix of ['-wal', '-shm', '-journal']) {
    if (existsSync(filename + suffix)) renameSync(filename + suffix, kept + suffix)
  }
}

function syncFile(path: string): void {
  const file = openSync(path, 'r+')
  try {
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}

function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : ''
}
