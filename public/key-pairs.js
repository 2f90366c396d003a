// The list of key-pairs: changes go through the REST API, and the list is redrawn by the server.
import { call, readPage } from './api.js'
import { download } from './clipboard.js'
import {
  announce,
  closeDialog,
  fillTemplate,
  giveFocusBack,
  openDialog,
  showDialog,
  showFailure,
} from './dialogs.js'
import { confirmFirst } from './second-factor.js'
import { showTimes } from './times.js'

/** What is done once the service has answered; named by the form's `data-then`. */
const outcomes = {
  minted(form, { api_secret, row }) {
    form.querySelector('[name="name"]').value = ''
    const values = { name: row.name, api_key: row.api_key, api_secret }
    const card = fillTemplate('minted-template', values)
    const { name, ...pair } = values
    listenToDownload(card, 'key-pair.json', pair)
    const trigger = document.activeElement?.id || 'new-key-pair'
    showDialog(card, trigger, { isGuarded: true })
    announce(`Key-pair ${name} created. The secret is shown once.`)
    return redraw()
  },
  rotated(form, { api_secret, row }) {
    const values = { name: row.name, api_key: row.api_key, api_secret }
    const card = fillTemplate('rotated-template', values)
    listenToDownload(card, 'key-pair.json', { api_key: row.api_key, api_secret })
    showDialog(card, form.dataset.trigger, { isGuarded: true })
    announce(`Key-pair ${row.name} has another secret. It is shown once.`)
    return redraw()
  },
  tokens(form, answer) {
    const { access_token, refresh_token } = answer
    const values = { name: form.dataset.name, access_token, refresh_token }
    const card = fillTemplate('tokens-template', values)
    listenToDownload(card, 'token.json', answer)
    showDialog(card, `token-${answer.data.user.api_key}`, { onClose: redraw })
    announce('Token created.')
  },
  async renamed(form, row) {
    const { apiKey } = form.closest('tr').dataset
    await redraw()
    document.querySelector(`tr[data-api-key="${apiKey}"] summary`)?.focus()
    announce(`Renamed to ${row.name}.`)
  },
  async limited(form, row) {
    closeDialog(openDialog(), form.dataset.trigger)
    await redraw(form.dataset.trigger)
    announce(`The limits of ${row.name} were changed.`)
  },
  async revoked(form) {
    const { apiKey, name, rest } = form.dataset
    const row = document.querySelector(`tr[data-api-key="${apiKey}"]`)
    const neighbour = row?.nextElementSibling ?? row?.previousElementSibling
    const next = neighbour?.querySelector('.danger')?.id ?? 'key-pairs-heading'
    row?.remove()
    closeDialog(openDialog(), next)
    const done = `Key-pair ${name} revoked.`
    announce(done)
    await redraw(next)
    await tellRefusals(rest.split(' ')[1].replace(/revoke$/, 'refusals'), done)
  },
  'revoked-all'(_form, count) {
    closeDialog(openDialog(), 'key-pairs-heading')
    announce(count === 1 ? 'One key-pair revoked.' : `${count} key-pairs revoked.`)
    return redraw('key-pairs-heading')
  },
}

/** Asks all nodes about a key that was just revoked, and shows and says what they answer. */
async function tellRefusals(path, done) {
  const main = document.getElementById('main')
  const banner = document.createElement('div')
  banner.className = 'banner success'
  banner.dataset.banner = ''
  let answer = 'The nodes could not be asked about it.'
  try {
    answer = (await call('GET', path)).message
  } catch {
    // It is revoked all the same.
    banner.className = 'banner info'
  }
  banner.textContent = `${done} ${answer}`
  for (const old of main.querySelectorAll('[data-banner]')) old.remove()
  main.prepend(banner)
  announce(banner.textContent)
}

function listenToDownload(card, name, value) {
  card.querySelector('[data-download]').addEventListener('click', () => {
    download(name, value)
    announce(`${name} downloaded.`)
  })
}

export function watchKeyPairs() {
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (form.matches('[data-rest]')) {
      event.preventDefault()
      void send(form, event.submitter)
    } else if (form.matches('[data-filter]')) {
      event.preventDefault()
      void filter(form)
    }
  })
  document.addEventListener('input', (event) => {
    const form = event.target.closest('[data-filter]')
    if (!form) return
    clearTimeout(form.timer)
    form.timer = setTimeout(() => void filter(form), 200)
  })
  document.addEventListener('click', (event) => {
    const link = event.target.closest('a[data-swap]')
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey) return
    event.preventDefault()
    void goTo(link.href, link.id || 'key-pairs-heading')
  })
  document.addEventListener('keydown', (event) => {
    const details = event.target.closest?.('.rename[open]')
    if (event.key === 'Escape' && details) closeRename(details)
  })
  addEventListener('popstate', () => void redraw())
  // "toggle" does not bubble.
  document.addEventListener('toggle', startRename, true)
}

async function send(form, submitter) {
  const button = submitter ?? form.querySelector('button')
  // Twice the same key, or twice the same click.
  if (button.getAttribute('aria-busy') === 'true') return
  const place = form.querySelector('.field-error')
  place.textContent = ''
  const [method, path] = form.dataset.rest.split(' ')
  const fields = new FormData(form)
  // A date that was picked goes before a choice from the list.
  if (fields.get('expires_on')) fields.set('expires_at', fields.get('expires_on'))
  for (const name of ['_wpnonce', 'form_token', 'expires_on']) fields.delete(name)
  button.setAttribute('aria-busy', 'true')
  for (const input of form.elements) input.removeAttribute('aria-invalid')
  try {
    const answer = await call(method, path, fields)
    await outcomes[form.dataset.then](form, answer)
  } catch (error) {
    if (error.code === 'rest_authentication_step_up_required') {
      return await confirmFirst(button.id || button, () => send(form, button))
    }
    const input = inputAtFault(form, error)
    input?.setAttribute('aria-invalid', 'true')
    showFailure(error, place, button)
    if (!openDialog() || openDialog().contains(input)) input?.focus()
  } finally {
    button.removeAttribute('aria-busy')
  }
}

function inputAtFault(form, { params = {} }) {
  const [name] = Object.keys(params)
  const named = name && form.querySelector(`[name="${name}"], [name="${name}[]"]`)
  return named ?? form.querySelector('input:not([type="hidden"]), select')
}

/** Shows the list as the service has it now. @param focus Id of what is to have the focus then. */
async function redraw(focus) {
  const section = sectionOf(document)
  // A card that stands on a page of its own: its way back leads to the list.
  if (!section) {
    if (!openDialog()) location.assign(document.querySelector('[data-close]').href)
    return
  }
  try {
    const page = await readPage(location.href)
    const active = document.activeElement?.id
    const typed = ['new-key-pair', 'filter'].map((id) => [id, document.getElementById(id)?.value])
    section.replaceWith(document.adoptNode(sectionOf(page)))
    const warning = document.getElementById('password-warning')
    warning?.replaceWith(document.adoptNode(page.getElementById(warning.id)))
    showTimes()
    for (const [id, value] of typed) {
      const field = document.getElementById(id)
      if (field && value !== undefined) field.value = value
    }
    if (openDialog()) return
    document.getElementById(focus ?? active)?.focus()
  } catch (error) {
    showFailure(error)
  }
}

function sectionOf(root) {
  return root.getElementById('key-pairs') ?? root.getElementById('users')
}

async function goTo(address, focus) {
  history.pushState(null, '', address)
  await redraw(focus)
}

/** Filters while one types; the field keeps the focus and the cursor. */
async function filter(form) {
  clearTimeout(form.timer)
  const query = new URLSearchParams(new FormData(form))
  if (query.get('q') === '') query.delete('q')
  const text = query.toString()
  history.replaceState(history.state, '', form.action.split('?')[0] + (text && `?${text}`))
  await redraw('filter')
  const field = document.getElementById('filter')
  if (!field) return giveFocusBack()
  field.focus()
  field.setSelectionRange(field.value.length, field.value.length)
  // Typed on while the list was on its way.
  if (field.value.trim() !== (query.get('q') ?? '').trim()) return filter(field.form)
  const count = sectionOf(document).querySelectorAll('tbody tr').length
  announce(count === 1 ? 'One found.' : `${count} shown.`)
}

function startRename(event) {
  const details = event.target
  if (!details.matches?.('.rename')) return
  if (!details.open) return forgetRename(details)
  for (const other of document.querySelectorAll('.rename[open]')) {
    if (other !== details) other.open = false
  }
  const input = details.querySelector('input[name="name"]')
  input.focus()
  input.select()
}

function forgetRename(details) {
  const input = details.querySelector('input[name="name"]')
  input.value = input.defaultValue
  input.removeAttribute('aria-invalid')
  details.querySelector('.field-error').textContent = ''
}

function closeRename(details) {
  details.open = false
  forgetRename(details)
  details.querySelector('summary').focus()
}
