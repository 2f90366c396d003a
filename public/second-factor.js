// Passkeys, which only a script can ask for, and the second factor in the midst of something.
import { call, Refusal, readPage } from './api.js'
import { closeDialog, showDialog, showFailure } from './dialogs.js'

export function watchSecondFactor() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-passkey]')
    if (button) void usePasskey(button.form, button, button.dataset.passkey)
  })
  document.addEventListener('submit', (event) => {
    const form = event.target
    if (!form.matches('[data-passkey-form]')) return
    event.preventDefault()
    void usePasskey(form, event.submitter, form.dataset.passkeyForm)
  })
}

/** Puts a passkey's answer into the form, and sends it. */
async function usePasskey(form, button, target) {
  if (button.getAttribute('aria-busy') === 'true') return
  const place = form.querySelector('.field-error')
  place.textContent = ''
  button.setAttribute('aria-busy', 'true')
  try {
    const [purpose, path] = target.split(' ')
    const optionsJSON = await call('POST', path, new FormData(form))
    form.elements.passkey.value = JSON.stringify(await ask(purpose, optionsJSON))
    if (form.onproof) form.onproof()
    else form.submit()
  } catch (error) {
    showFailure(error, place, button)
  } finally {
    button.removeAttribute('aria-busy')
  }
}

/** @throws {Refusal} in words for people. */
async function ask(purpose, optionsJSON) {
  // The library adds itself to the global object.
  await import('./simplewebauthn-browser.js')
  const { startRegistration, startAuthentication } = globalThis.SimpleWebAuthnBrowser
  try {
    return await (purpose === 'create' ? startRegistration : startAuthentication)({ optionsJSON })
  } catch (cause) {
    const isKnown = cause.name === 'InvalidStateError'
    throw new Refusal(
      isKnown
        ? 'This device or key is among your passkeys already.'
        : 'No passkey was used: it was cancelled, took too long, or there is none here.',
      { cause },
    )
  }
}

/** Asks for the second factor in a dialog; then goes on with what needed it. */
export async function confirmFirst(trigger, goOn) {
  const here = encodeURIComponent(location.pathname + location.search)
  const page = await readPage(`/profile/confirm?next=${here}`)
  const card = document.adoptNode(page.querySelector('[data-dialog]'))
  const form = card.querySelector('form')
  const place = card.querySelector('.field-error')
  const prove = async () => {
    place.textContent = ''
    const fields = new FormData(form)
    for (const name of ['_wpnonce', 'next']) fields.delete(name)
    try {
      await call('POST', '/session/second-factor', fields)
    } catch (error) {
      form.elements.passkey.value = ''
      form.elements.otp.setAttribute('aria-invalid', 'true')
      showFailure(error, place, trigger)
      return
    }
    closeDialog()
    await goOn()
  }
  form.onproof = prove
  form.addEventListener('submit', (event) => {
    event.preventDefault()
    void prove()
  })
  showDialog(card, trigger)
}
