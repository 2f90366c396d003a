// Cards of pages, shown as modal dialogs. A dialog that closes is taken out of the document, so what
// it showed is gone from there too.
import { Refusal, readPage, SessionEnded } from './api.js'
import { confirmFirst } from './second-factor.js'
import { showTimes } from './times.js'

let opener

/** Says something to screen readers: where a modal dialog is open, inside it. */
export function announce(text) {
  const dialog = openDialog()
  const region = dialog?.querySelector('.live') ?? document.getElementById('live')
  region.textContent = ''
  // A region that is emptied and filled in one turn has not changed for a screen reader.
  setTimeout(() => {
    region.textContent = text
  }, 50)
}

export function openDialog() {
  return document.querySelector('dialog[open]')
}

/**
 * @param card The element to show; its first heading names the dialog.
 * @param trigger Gets the focus back: an element, or the id of one that may be redrawn meanwhile.
 */
export function showDialog(card, trigger, { isGuarded = false, onClose } = {}) {
  closeDialog()
  opener = trigger
  const dialog = document.createElement('dialog')
  dialog.className = 'dialog'
  const heading = card.querySelector('h2')
  heading.id = 'dialog-heading'
  dialog.setAttribute('aria-labelledby', heading.id)
  const live = document.createElement('div')
  live.className = 'live visually-hidden'
  live.setAttribute('role', 'status')
  dialog.append(card, live)
  document.body.append(dialog)
  showTimes(dialog)
  if (isGuarded) guard(dialog)
  // The browser closes it (Escape) and tells later; whatever closes it here does not wait for that.
  dialog.addEventListener('close', () => dialog.finish())
  dialog.finish = () => {
    if (!dialog.isConnected) return
    dialog.remove()
    onClose?.()
    giveFocusBack()
  }
  dialog.showModal()
  const first = dialog.querySelector('[autofocus]') ?? heading
  first.focus()
  return dialog
}

/** @param focus Id of what gets the focus, where the trigger will be gone. */
export function closeDialog(dialog = openDialog(), focus = opener) {
  opener = focus
  dialog?.close()
  dialog?.finish()
}

/** Escape asks once: a slip of the hand must not throw a secret away. */
function guard(dialog) {
  const question = dialog.querySelector('[data-guard]')
  let isAsked = false
  const ask = (event) => {
    event.preventDefault()
    if (isAsked) return closeDialog(dialog)
    isAsked = true
    question.textContent =
      'Have you kept the secret? It cannot be shown again. Press Escape once more, or Dismiss, to close.'
  }
  dialog.addEventListener('cancel', ask)
  dialog.addEventListener('keydown', (event) => {
    if (event.key === 'Escape') ask(event)
  })
}

export function giveFocusBack() {
  const trigger = typeof opener === 'string' ? document.getElementById(opener) : opener
  if (trigger?.isConnected) trigger.focus()
  else document.querySelector('h2[tabindex]')?.focus()
}

/** @returns A copy of a template's card, with `{names}` in its text replaced by values. */
export function fillTemplate(id, values) {
  const card = document.getElementById(id).content.firstElementChild.cloneNode(true)
  const walker = document.createTreeWalker(card, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { currentNode: node } = walker
    node.data = node.data.replace(/\{(\w+)\}/g, (all, name) => values[name] ?? all)
  }
  return card
}

export function showEnded(trigger) {
  const card = fillTemplate('ended-template', {})
  const here = encodeURIComponent(location.pathname + location.search)
  card.querySelector('a').href = `/login?next=${here}`
  return showDialog(card, trigger)
}

/** Tells the person about a failure: in `place`, or aloud where there is none. */
export function showFailure(error, place, trigger) {
  if (error instanceof SessionEnded && document.getElementById('ended-template')) {
    return showEnded(trigger)
  }
  if (error instanceof SessionEnded) return location.reload()
  if (!(error instanceof Refusal)) throw error
  if (place) place.textContent = error.message
  else announce(error.message)
}

/** Links and buttons that lead to a page with one card open it as a dialog. */
export function watchDialogs() {
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (!form.matches('[data-card]')) return
    event.preventDefault()
    void openCard(form.action, event.submitter)
  })
  document.addEventListener('click', (event) => {
    const closer = event.target.closest('[data-close]')
    const dialog = closer?.closest('dialog')
    if (!dialog) return
    event.preventDefault()
    closeDialog(dialog)
  })
  // What is on the screen when the page is left must not come back with it.
  addEventListener('pagehide', () => openDialog()?.remove())
}

async function openCard(address, trigger) {
  try {
    const page = await readPage(address)
    const card = document.adoptNode(page.querySelector('[data-dialog]'))
    if (card.dataset.dialog === 'confirm') {
      return await confirmFirst(trigger.id, () => openCard(address, trigger))
    }
    showDialog(card, trigger.id)
  } catch (error) {
    showFailure(error, undefined, trigger)
  }
}
