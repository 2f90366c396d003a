import type { ComponentChildren } from 'preact'
import { Page, type PageContext } from './page.js'

/** A page about users that shows one card. */
export function UsersFrame(props: { context: PageContext; children: ComponentChildren }) {
  return (
    <Page context={props.context} title="Users" section="users">
      <div class="page-head">
        <h1>Users</h1>
      </div>
      {props.children}
    </Page>
  )
}
