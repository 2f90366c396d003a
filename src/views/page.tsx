import type { ComponentChildren, VNode } from 'preact'
import { renderToString } from 'preact-render-to-string'
import { isAdministrator, type User } from '../domain/user.js'
import { KeyIcon } from './icons.js'

/** What every page needs to know. */
export interface PageContext {
  /** Folder of the script and the styles, e.g. `/assets/3f2a9c0b`. */
  assets: string
  /** Seconds since the Unix epoch; relative times count from here. */
  now: number
  viewer?: Viewer | undefined
}

/** Whoever is logged in. */
export interface Viewer {
  user: User
  /** Goes into every form, and into the script's requests. */
  nonce: string
}

export interface Message {
  tone: 'success' | 'error' | 'info'
  text: string
}

export interface PageProps {
  context: PageContext
  title: string
  section?: 'profile' | 'users' | 'audit' | 'docs'
  message?: Message | undefined
  children: ComponentChildren
}

/** @returns The document; every text in it has been escaped by the renderer. */
export function render(page: VNode): string {
  return `<!doctype html>${renderToString(page)}`
}

export function Page({ context, title, section, message, children }: PageProps) {
  const { assets, viewer, now } = context
  return (
    <html lang="en" data-now={now}>
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <meta name="color-scheme" content="light dark" />
        <title>{`${title} · Twinkey`}</title>
        <link rel="stylesheet" href={`${assets}/base.css`} />
        <link rel="stylesheet" href={`${assets}/profile.css`} />
        <link rel="icon" type="image/svg+xml" href={`${assets}/icon.svg`} />
        <script type="module" src={`${assets}/app.js`} />
        {scripts.map((name) => (
          <link key={name} rel="modulepreload" href={`${assets}/${name}`} />
        ))}
      </head>
      <body data-nonce={viewer?.nonce} data-user={viewer?.user.id}>
        <a class="skip-link" href="#main">
          Skip to content
        </a>
        <Header viewer={viewer} section={section} />
        <main id="main" tabindex={-1}>
          {message && <Banner message={message} />}
          {children}
        </main>
        <div id="live" class="visually-hidden" role="status" aria-live="polite" />
      </body>
    </html>
  )
}

const scripts = [
  'api.js',
  'clipboard.js',
  'dialogs.js',
  'key-pairs.js',
  'second-factor.js',
  'times.js',
]

function Header({
  viewer,
  section,
}: {
  viewer: Viewer | undefined
  section: PageProps['section'] | undefined
}) {
  return (
    <header class="bar">
      <div class="bar-inner">
        <a class="brand" href="/profile">
          <KeyIcon />
          <span>Twinkey</span>
        </a>
        {viewer && (
          <nav class="bar-nav" aria-label="Main">
            <a href="/profile" aria-current={section === 'profile' ? 'page' : undefined}>
              Profile
            </a>
            {isAdministrator(viewer.user) && (
              <a href="/users" aria-current={section === 'users' ? 'page' : undefined}>
                Users
              </a>
            )}
            {isAdministrator(viewer.user) && (
              <a href="/audit" aria-current={section === 'audit' ? 'page' : undefined}>
                Audit
              </a>
            )}
            <a href="/docs" aria-current={section === 'docs' ? 'page' : undefined}>
              API
            </a>
          </nav>
        )}
        {viewer && (
          <form class="bar-user" method="post" action="/logout">
            <Nonce viewer={viewer} />
            <span class="bar-login">
              <span class="visually-hidden">Logged in as </span>
              {viewer.user.login}
            </span>
            <button type="submit" class="button small quiet">
              Log Out
            </button>
          </form>
        )}
      </div>
    </header>
  )
}

export function Banner({ message }: { message: Message }) {
  return (
    <div
      class={`banner ${message.tone}`}
      role={message.tone === 'error' ? 'alert' : 'status'}
      data-banner
    >
      {message.text}
    </div>
  )
}

/** Proves that a form came from a page of ours: WordPress's name for the field. */
export function Nonce({ viewer }: { viewer: Viewer }) {
  return <input type="hidden" name="_wpnonce" value={viewer.nonce} />
}
