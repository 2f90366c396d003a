import { Page, type PageContext } from './page.js'

export interface DocsField {
  name: string
  place?: 'path' | 'query' | 'body' | undefined
  isRequired: boolean
  /** In words. */
  type: string
  description?: string | undefined
}

export interface DocsOperation {
  /** Of the element, so that it can be linked to. */
  id: string
  method: string
  path: string
  summary: string
  notes?: string | undefined
  access: string
  fields: readonly DocsField[]
  answers: readonly { status: string; lines: readonly string[]; shape?: string | undefined }[]
}

export interface DocsGroup {
  name: string
  description: string
  operations: readonly DocsOperation[]
}

export interface DocsShape {
  name: string
  description?: string | undefined
  fields: readonly DocsField[]
}

export interface ApiDocsProps {
  context: PageContext
  groups: readonly DocsGroup[]
  shapes: readonly DocsShape[]
}

/** What programs can ask of the service, readable without a script. */
export function ApiDocs({ context, groups, shapes }: ApiDocsProps) {
  return (
    <Page context={context} title="API" section="docs">
      <link rel="stylesheet" href={`${context.assets}/docs.css`} />
      <div class="page-head">
        <h1>API</h1>
        <p>
          For tools: <a href="/openapi.json">openapi.json</a>
        </p>
      </div>
      <nav class="docs-nav" aria-label="On this page">
        {groups.map(({ name }) => (
          <a key={name} href={`#${anchorOf(name)}`}>
            {name}
          </a>
        ))}
        <a href="#shapes">Shapes</a>
      </nav>
      {groups.map((group) => (
        <section key={group.name} class="card" aria-labelledby={anchorOf(group.name)}>
          <h2 id={anchorOf(group.name)}>{group.name}</h2>
          <p class="muted">{group.description}</p>
          {group.operations.map((operation) => (
            <Operation key={operation.id} operation={operation} />
          ))}
        </section>
      ))}
      <section class="card" aria-labelledby="shapes">
        <h2 id="shapes">Shapes</h2>
        <p class="muted">What answers look like.</p>
        {shapes.map((shape) => (
          <details key={shape.name} class="docs-item">
            <summary>
              <code>{shape.name}</code>
            </summary>
            {shape.description && <p>{shape.description}</p>}
            <Fields fields={shape.fields} />
          </details>
        ))}
      </section>
    </Page>
  )
}

function Operation({ operation }: { operation: DocsOperation }) {
  const { id, method, path, summary, notes, access, fields, answers } = operation
  return (
    <details class="docs-item" id={id}>
      <summary>
        <code class="docs-route">
          <b>{method}</b> {path}
        </code>{' '}
        <span>{summary}</span>
      </summary>
      <p>
        {notes && `${plain(notes)} `}
        {access}
      </p>
      <Fields fields={fields} />
      <h3>Answers</h3>
      <dl class="facts">
        {answers.map(({ status, lines, shape }) => (
          <>
            <dt>{status}</dt>
            <dd>
              {shape && <code>{shape}</code>}
              <ul>
                {lines.map((line) => (
                  <li key={line}>{plain(line)}</li>
                ))}
              </ul>
            </dd>
          </>
        ))}
      </dl>
    </details>
  )
}

function Fields({ fields }: { fields: readonly DocsField[] }) {
  if (fields.length === 0) return null
  return (
    <dl class="facts">
      {fields.map(({ name, place, isRequired, type, description }) => (
        <>
          <dt>
            <code>{name}</code>
          </dt>
          <dd>
            {[type, place && `in the ${place}`, !isRequired && 'optional']
              .filter(Boolean)
              .join(', ')}
            {description && <p class="muted">{plain(description)}</p>}
          </dd>
        </>
      ))}
    </dl>
  )
}

const anchorOf = (name: string) => name.toLowerCase()

/** Markdown's only mark in these texts goes without saying here. */
const plain = (text: string) => text.replaceAll('`', '')
