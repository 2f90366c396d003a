import type { Device } from '../domain/device.js'
import type { RegisteredToken } from '../domain/registered-token.js'
import type { KeyPairPage, PolicyChoices } from '../services/key-pairs.js'
import { KeyPairOptions } from './key-pair-options.js'
import { KeyPairTable } from './key-pair-table.js'
import { Nonce, type Viewer } from './page.js'

export interface KeyPairSectionProps {
  viewer: Viewer
  now: number
  /** Whose key-pairs these are. */
  userId: number
  /** The profile's own address: `/profile` or `/users/7/profile`. */
  base: string
  listing: KeyPairPage
  /** By key-pair. */
  devices: ReadonlyMap<number, readonly Device[]>
  /** Those that can be revoked alone, by key-pair. */
  tokens: ReadonlyMap<number, readonly RegisteredToken[]>
  filter: ListFilter
  /** What the viewer may choose from for a new pair. */
  choices: PolicyChoices
  /** Makes sending the form a second time harmless. */
  formToken: string
  /** Something that was typed and could not be used. */
  name?: string
}

export interface ListFilter {
  search: string
  /** From 1. */
  page: number
  perPage: number
  includeRevoked: boolean
}

/** With fewer there is nothing to look for. */
const filterFrom = 6

export function KeyPairSection(props: KeyPairSectionProps) {
  const { viewer, base, userId, listing, filter, choices, formToken, name } = props
  const { summary } = listing
  const restBase = `/wp-json/wp/v2/key-pair/${userId}`
  const hasAny = summary.active + summary.revoked > 0
  return (
    <section class="card" id="key-pairs" aria-labelledby="key-pairs-heading">
      <div class="card-head">
        <h2 id="key-pairs-heading" tabindex={-1}>
          API Key-pairs
        </h2>
        {summary.active > 0 && (
          <form method="get" action={`${base}/revoke-all`} data-card>
            <button type="submit" class="button small danger" id="revoke-all">
              Revoke All
            </button>
          </form>
        )}
      </div>
      <p class="lead">
        Give each application a key-pair of its own. It exchanges the pair for tokens and never sees{' '}
        {userId === viewer.user.id ? 'your' : 'the user’s'} password, and you can revoke it here at
        any time without touching the others.
      </p>
      <form
        class="add"
        method="post"
        action={`${base}/key-pairs`}
        data-rest={`POST ${restBase}`}
        data-then="minted"
      >
        <Nonce viewer={viewer} />
        <input type="hidden" name="form_token" value={formToken} />
        <label for="new-key-pair">New key-pair</label>
        <div class="add-row">
          <input
            id="new-key-pair"
            name="name"
            value={name}
            placeholder="Name"
            autocomplete="off"
            required
            aria-describedby="new-key-pair-error"
          />
          <button type="submit" class="button primary" id="add-new">
            Add New
          </button>
        </div>
        <p class="field-error" id="new-key-pair-error" role="alert" />
        <KeyPairOptions choices={choices} now={props.now} />
      </form>
      {hasAny && <Toolbar base={base} listing={listing} filter={filter} />}
      {listing.rows.length > 0 ? <KeyPairTable {...props} /> : <Empty {...props} />}
      <Paging base={base} listing={listing} filter={filter} />
    </section>
  )
}

type ListProps = Pick<KeyPairSectionProps, 'base' | 'listing' | 'filter'>

function Toolbar({ base, listing, filter }: ListProps) {
  const { active, revoked } = listing.summary
  const shown = filter.includeRevoked ? active + revoked : active
  const hasFilter = shown >= filterFrom || filter.search !== ''
  if (!hasFilter && revoked === 0) return null
  const otherView = addressOf(base, {
    ...filter,
    page: 1,
    includeRevoked: !filter.includeRevoked,
  })
  return (
    <div class="toolbar">
      {hasFilter && (
        <search>
          <form class="filter" method="get" action={base} data-filter>
            {filter.includeRevoked && <input type="hidden" name="show" value="all" />}
            <label class="visually-hidden" for="filter">
              Filter by name or API key
            </label>
            <input
              id="filter"
              type="search"
              name="q"
              value={filter.search}
              placeholder="Filter by name or key"
              autocomplete="off"
              spellcheck={false}
            />
            <button type="submit" class="button small no-js">
              Filter
            </button>
          </form>
        </search>
      )}
      {revoked > 0 && (
        <a class="toggle" id="toggle-revoked" href={otherView} data-swap>
          {filter.includeRevoked ? 'Hide revoked' : `Show revoked (${revoked})`}
        </a>
      )}
    </div>
  )
}

function Empty({ listing, filter, base }: ListProps) {
  if (filter.search !== '') {
    return (
      <div class="empty">
        <p class="empty-title">No key-pair matches “{filter.search}”.</p>
        <p>
          <a href={addressOf(base, { ...filter, search: '', page: 1 })} data-swap>
            Show all
          </a>
        </p>
      </div>
    )
  }
  return (
    <div class="empty">
      <p class="empty-title">
        {listing.summary.revoked > 0 ? 'No active key-pairs.' : 'No key-pairs yet.'}
      </p>
      <p>
        Type the name of an application above, such as “Backup script”, and press <b>Add New</b>.
        Its key and secret are then shown once.
      </p>
    </div>
  )
}

const whole = new Intl.NumberFormat('en')

function Paging({ base, listing, filter }: ListProps) {
  const pages = Math.ceil(listing.total / filter.perPage)
  if (pages <= 1) return null
  const first = (filter.page - 1) * filter.perPage + 1
  const last = Math.min(listing.total, filter.page * filter.perPage)
  return (
    <nav class="paging" aria-label="Pages of key-pairs">
      <PageLink href={addressOf(base, { ...filter, page: filter.page - 1 })} isOn={filter.page > 1}>
        Previous
      </PageLink>
      <span>
        {whole.format(first)}–{whole.format(last)} of {whole.format(listing.total)}
      </span>
      <PageLink
        href={addressOf(base, { ...filter, page: filter.page + 1 })}
        isOn={filter.page < pages}
      >
        Next
      </PageLink>
    </nav>
  )
}

export function PageLink({
  href,
  isOn,
  children,
}: {
  href: string
  isOn: boolean
  children: string
}) {
  if (!isOn) {
    return (
      <span class="button small" aria-disabled="true">
        {children}
      </span>
    )
  }
  return (
    <a class="button small" href={href} data-swap>
      {children}
    </a>
  )
}

/** @returns The address of this view of the list; what is as usual is left out. */
export function addressOf(base: string, filter: ListFilter): string {
  const query = new URLSearchParams()
  if (filter.search !== '') query.set('q', filter.search)
  if (filter.includeRevoked) query.set('show', 'all')
  if (filter.page > 1) query.set('page', String(filter.page))
  const text = query.toString()
  return text === '' ? base : `${base}?${text}`
}
