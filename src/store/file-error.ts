import type { DatabaseConfig } from '../config.js'

/** The file of an embedded database cannot be used; the message says what is wrong and what helps. */
export class DatabaseFileError extends Error {
  override readonly name = 'DatabaseFileError'
}

const explanations: readonly [code: RegExp, problem: string, advice: string][] = [
  [
    /^SQLITE_(NOTADB|CORRUPT)/,
    'is no whole SQLite database',
    'It was left as it is. Put a backup in its place with `twinkey restore FILE --force`, which keeps it, or see whether `sqlite3 … .recover` saves something.',
  ],
  [
    /^SQLITE_(READONLY|PERM)/,
    'cannot be written to by this user, or lies on a file system that is read-only',
    'The service writes to it, and to new files beside it: make the file and its directory belong to the user that it runs as.',
  ],
  [
    /^SQLITE_(CANTOPEN|AUTH)/,
    'cannot be opened by this user',
    'The service writes to it, and to new files beside it: make the file and its directory belong to the user that it runs as.',
  ],
  [/^SQLITE_FULL/, 'has no room: its disk is full', 'Make room there, and start again.'],
  [
    /^SQLITE_IOERR/,
    'cannot be read or written: its disk is full or failing',
    'See the system log; make room if there is none.',
  ],
]

/** @returns The error for whoever starts the service, if it says that the database's file is to blame. */
export function explainFileError(error: unknown, database: DatabaseConfig): unknown {
  if (database.dialect !== 'sqlite' || !(error instanceof Error)) return error
  const code = 'code' in error ? String(error.code) : ''
  for (const [pattern, problem, advice] of explanations) {
    if (!pattern.test(code)) continue
    const message = `The database ${database.filename} ${problem} (${code}). ${advice}`
    return new DatabaseFileError(message, { cause: error })
  }
  return error
}
