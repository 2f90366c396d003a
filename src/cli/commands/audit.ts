import { readFileSync } from 'node:fs'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as delay } from 'node:timers/promises'
import { Command, InvalidArgumentError, Option } from 'commander'
import { operator } from '../../domain/actor.js'
import {
  auditActions,
  type AuditAction,
  auditOutcomes,
  type AuditOutcome,
} from '../../domain/audit.js'
import { presentAuditEntry } from '../../domain/audit-present.js'
import type { AuditFilter, AuditRecord } from '../../services/audit/reader.js'
import { withRuntime } from '../context.js'
import { csvLine } from '../csv.js'
import { exitCodes } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { count, json, time, visible } from '../text.js'

export function auditCommand(): Command {
  const audit = new Command('audit')
    .summary('read, export and verify the audit log')
    .description('Who did what, when and from where; and whether that is still what was written.')

  addFilterOptions(audit.command('tail'))
    .summary('show the last entries')
    .description('Shows the last entries, oldest first.')
    .option('-n, --lines <count>', 'how many', readCount, 20)
    .option('-f, --follow', 'wait for more, until interrupted')
    .option('--json', 'print one JSON document a line instead of text')
    .action(tail)
    .addHelpText(
      'after',
      `
Examples:
  $ twinkey audit tail --follow
  $ twinkey audit tail --request-id 9f2c41d07a3b-1f    why a request was refused
  $ twinkey audit tail --user ada --outcome refused`,
    )

  addFilterOptions(audit.command('export'))
    .summary('print all entries')
    .description('Prints all entries that match, oldest first.')
    .addOption(
      new Option('--format <format>', 'JSON documents, one a line, or CSV')
        .choices(['jsonl', 'csv'])
        .default('jsonl'),
    )
    .action(exportLog)
    .addHelpText(
      'after',
      '\nExample:\n  $ twinkey audit export --from 2026-11-01 --format csv > november.csv',
    )

  addJsonOption(audit.command('verify'))
    .summary('look for entries that were edited, deleted or added')
    .description(
      'Reads the whole log and says which entries are not, or no longer, what the service wrote. Exit code 1 if there are any.',
    )
    .option(
      '--secret-file <path>',
      'a JWT_SECRET of before, for entries of its time (may be repeated)',
      (path: string, paths: string[]) => [...paths, path],
      [],
    )
    .option('--expect <SEQ:HASH>', 'where the chain once ended, as this command said', readSeal)
    .action(verify)
    .addHelpText(
      'after',
      `
Keep the last line that it prints somewhere else, and give it to a later call: not even
somebody with both the database and the secret can then take back what was before.

Example:
  $ twinkey audit verify --expect 4711:6FvX…`,
    )
  return audit
}

interface FilterOptions {
  user?: string
  key?: string
  action?: AuditAction
  outcome?: AuditOutcome
  requestId?: string
  from?: number
  to?: number
}

function addFilterOptions(command: Command): Command {
  return command
    .option('--user <login>', 'only what was about this user')
    .option('--key <api_key>', 'only what was about this key-pair')
    .addOption(new Option('--action <action>', 'only this action').choices(auditActions))
    .addOption(new Option('--outcome <outcome>', 'only this outcome').choices(auditOutcomes))
    .option('--request-id <id>', 'only this request, as X-Request-Id said')
    .option('--from <time>', 'only since, e.g. 2026-11-23 or 2026-11-23T14:00Z', readTime)
    .option('--to <time>', 'only until', readTime)
}

function readCount(text: string): number {
  const number = Number(text)
  if (Number.isInteger(number) && number >= 1 && number <= 10_000) return number
  throw new InvalidArgumentError('It must be an integer from 1 to 10000.')
}

function readTime(text: string): number {
  const at = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN
  if (Number.isFinite(at)) return Math.floor(at / 1000)
  throw new InvalidArgumentError('It must be a time such as 2026-11-23 or 2026-11-23T14:00Z.')
}

function readSeal(text: string): { seq: number; hash: string } {
  const [, seq, hash] = /^(\d{1,15}):([\w-]{43})$/.exec(text) ?? []
  if (seq && hash) return { seq: Number(seq), hash }
  throw new InvalidArgumentError('It must be such as `audit verify` prints it.')
}

type Services = Parameters<Parameters<typeof withRuntime>[0]>[0]['services']

async function readFilter({ users }: Services, options: FilterOptions): Promise<AuditFilter> {
  const { user, key, action, outcome, requestId, from, to } = options
  return {
    ...(user !== undefined && { userId: (await users.findByLogin(user)).id }),
    ...(key !== undefined && { apiKey: key }),
    ...(action && { action }),
    ...(outcome && { outcome }),
    ...(requestId !== undefined && { requestId }),
    ...(from !== undefined && { from }),
    ...(to !== undefined && { to }),
  }
}

const pollMs = 1000

function tail(
  options: FilterOptions & JsonOption & { lines: number; follow?: boolean },
): Promise<void> {
  return withRuntime(async ({ services }) => {
    const { reader } = services.audit
    const filter = await readFilter(services, options)
    const show = (entry: AuditRecord) =>
      process.stdout.write(options.json ? json(presentAuditEntry(entry)) : line(entry))
    const found = (await reader.list(operator, filter, options.lines)).reverse()
    for (const entry of found) show(entry)
    let after = found.at(-1)?.id ?? 0
    while (options.follow) {
      await delay(pollMs)
      for await (const entry of reader.scan({ ...filter, after })) {
        show(entry)
        after = entry.id
      }
    }
  })
}

/** For a person: when, what, who, about what, from where, why. */
function line(entry: AuditRecord): string {
  const { at, action, outcome, actor, apiKey, ip, reason, requestId, times } = entry
  const parts = [
    time(at),
    action,
    outcome === 'refused' ? 'REFUSED' : undefined,
    actor.name ?? actor.kind,
    apiKey,
    reason,
    Object.entries(entry.details)
      .map(([name, value]) => `${name}=${JSON.stringify(value)}`)
      .join(' '),
    times > 1 ? `×${times}` : undefined,
    ip && `from ${ip}`,
    requestId && `request ${requestId}`,
  ]
  return `${visible(parts.filter(Boolean).join('  '))}\n`
}

const columns = [
  'id',
  'at',
  'action',
  'outcome',
  'actor',
  'actor_id',
  'actor_login',
  'user_id',
  'api_key',
  'ip',
  'user_agent',
  'request_id',
  'reason',
  'times',
  'details',
  'seq',
  'hash',
] as const

function exportLog(options: FilterOptions & { format: 'jsonl' | 'csv' }): Promise<void> {
  return withRuntime(async ({ services }) => {
    const filter = await readFilter(services, options)
    const isCsv = options.format === 'csv'
    async function* lines() {
      if (isCsv) yield csvLine(columns)
      for await (const entry of services.audit.reader.scan(filter)) {
        const row = presentAuditEntry(entry)
        const cell = (name: (typeof columns)[number]) => {
          const value = row[name]
          return typeof value === 'object' && value !== null ? JSON.stringify(value) : value
        }
        yield isCsv ? csvLine(columns.map(cell)) : json(row)
      }
    }
    try {
      await pipeline(Readable.from(lines()), process.stdout, { end: false })
    } catch (error) {
      // Whoever reads has seen enough, as `head` has.
      if ((error as NodeJS.ErrnoException).code !== 'EPIPE') throw error
    }
  })
}

function verify(
  options: JsonOption & { secretFile: string[]; expect?: { seq: number; hash: string } },
): Promise<void> {
  return withRuntime(async ({ services }) => {
    const secrets = options.secretFile.map((path) => readFileSync(path, 'utf8').trim())
    const verdict = await services.audit.verify({ secrets, expected: options.expect })
    const { entries, unsealed, end, findings, total } = verdict
    const shown = findings.map(({ text }) => `  ${text}\n`).join('')
    const more = total > findings.length ? `  … and ${total - findings.length} more\n` : ''
    const outcome =
      total === 0
        ? `${count(entries, 'entry').replace('entrys', 'entries')} as the service wrote them.\n`
        : `The audit log is not as the service wrote it:\n${shown}${more}`
    const rest = unsealed > 0 ? `${unsealed} more have no place in the chain yet.\n` : ''
    print(
      options,
      { ok: total === 0, entries, unsealed, end, total, findings },
      `${outcome}${rest}The chain ends at ${end.seq}:${end.hash}\n`,
    )
    if (total > 0) process.exitCode = exitCodes.failed
  })
}
