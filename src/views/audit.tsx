import { auditActions } from '../domain/audit.js'
import type { AuditRecord } from '../services/audit/reader.js'
import { exactTime, Time } from './time.js'
import { describeBrowser } from './user-agent.js'

export interface AuditSectionProps {
  entries: AuditRecord[]
  now: number
  /** Where the form is sent. */
  address: string
  /** What was asked for, by the names of the fields; empty where it was not. */
  values: Record<string, string>
  /** Whose log it is; else everybody's, and the form asks for a user. */
  isOfOne: boolean
  /** The page after this, if there is one. */
  next: string | undefined
  problem?: string | undefined
}

/** What happened, with a filter: for the pages of a user and that of administrators. */
export function AuditSection(props: AuditSectionProps) {
  const { entries, now, address, values, next, problem } = props
  return (
    <section class="card" id="audit" aria-labelledby="audit-heading">
      <div class="card-head">
        <h2 id="audit-heading">Activity</h2>
      </div>
      {problem !== undefined && (
        <p class="field-error" role="alert">
          {problem}
        </p>
      )}
      <AuditFilterForm {...props} />
      {entries.length === 0 ? (
        <div class="empty">
          <p class="empty-title">Nothing was found.</p>
          <p>
            <a href={address}>Show all</a>
          </p>
        </div>
      ) : (
        <table class="pairs audit" aria-labelledby="audit-heading">
          <thead>
            <tr>
              <th scope="col">When</th>
              <th scope="col">What</th>
              <th scope="col">Who</th>
              <th scope="col">From</th>
              <th scope="col">Request</th>
            </tr>
          </thead>
          <tbody>
            {entries.map((entry) => (
              <AuditRow key={entry.id} entry={entry} now={now} />
            ))}
          </tbody>
        </table>
      )}
      {(next !== undefined || values.before) && (
        <nav class="paging" aria-label="Pages of the activity">
          {values.before && (
            <a class="button small" href={address}>
              Newest
            </a>
          )}
          {next !== undefined && (
            <a class="button small" href={next}>
              Older
            </a>
          )}
        </nav>
      )}
    </section>
  )
}

function AuditFilterForm({ address, values, isOfOne }: AuditSectionProps) {
  return (
    <form class="audit-filter" method="get" action={address}>
      <label>
        Action
        <select name="action">
          <option value="">All</option>
          {auditActions.map((action) => (
            <option key={action} value={action} selected={values.action === action}>
              {action}
            </option>
          ))}
        </select>
      </label>
      <label>
        Outcome
        <select name="outcome">
          <option value="">All</option>
          <option value="done" selected={values.outcome === 'done'}>
            done
          </option>
          <option value="refused" selected={values.outcome === 'refused'}>
            refused
          </option>
        </select>
      </label>
      {!isOfOne && <Field name="user_id" label="User id" values={values} />}
      <Field name="api_key" label="API key" values={values} />
      <Field name="request_id" label="Request id" values={values} />
      <Field name="from" label="From" values={values} type="date" />
      <Field name="to" label="To" values={values} type="date" />
      <button type="submit" class="button small primary">
        Filter
      </button>
    </form>
  )
}

function Field({
  name,
  label,
  values,
  type = 'text',
}: {
  name: string
  label: string
  values: Record<string, string>
  type?: string
}) {
  return (
    <label>
      {label}
      <input type={type} name={name} value={values[name] ?? ''} autocomplete="off" />
    </label>
  )
}

function AuditRow({ entry, now }: { entry: AuditRecord; now: number }) {
  const { action, outcome, actor, apiKey, ip, userAgent, requestId, reason, times } = entry
  const details = Object.entries(entry.details)
  return (
    <tr>
      <th scope="row" class="cell-name" data-label="When">
        <Time at={entry.at} now={now} />
        <p class="muted">{exactTime(entry.at)}</p>
      </th>
      <td class="cell-wide" data-label="What">
        <b>{action}</b> {outcome === 'refused' && <span class="badge danger">Refused</span>}{' '}
        {times > 1 && <span class="badge">×{times}</span>}
        {reason !== null && (
          <p>
            <code>{reason}</code>
          </p>
        )}
        {apiKey !== null && (
          <p>
            <code>{apiKey}</code>
          </p>
        )}
        {details.map(([name, value]) => (
          <p class="muted" key={name}>
            {name}: <bdi>{String(value)}</bdi>
          </p>
        ))}
      </td>
      <td data-label="Who">{actor.name ?? actor.kind}</td>
      <td data-label="From">
        {ip ?? <span class="muted">—</span>}
        {userAgent !== null && (
          <p class="muted" title={userAgent}>
            {describeBrowser(userAgent)}
          </p>
        )}
      </td>
      <td class="cell-wide" data-label="Request">
        {requestId === null ? <span class="muted">—</span> : <code>{requestId}</code>}
      </td>
    </tr>
  )
}
