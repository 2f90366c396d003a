import { announce } from './dialogs.js'

export function watchClipboard() {
  document.addEventListener('click', (event) => {
    const button = event.target.closest('[data-copy]')
    if (button) void copy(button)
  })
}

async function copy(button) {
  const code = button.parentElement.querySelector('.copyable')
  const isCopied = await write(code.textContent, button)
  button.classList.toggle('is-done', isCopied)
  const label = button.querySelector('[data-copy-text]')
  if (label) label.textContent = isCopied ? 'Copied' : 'Select'
  if (!isCopied) getSelection().selectAllChildren(code)
  announce(isCopied ? `${button.dataset.copy} copied.` : 'Selected: press Ctrl+C to copy.')
  clearTimeout(button.timer)
  button.timer = setTimeout(() => {
    button.classList.remove('is-done')
    if (label) label.textContent = 'Copy'
  }, 2000)
}

/** Browsers have a clipboard for scripts only on https and localhost; elsewhere the old way works. */
async function write(text, button) {
  try {
    await navigator.clipboard.writeText(text)
    return true
  } catch {
    const area = document.createElement('textarea')
    area.value = text
    area.className = 'visually-hidden'
    button.after(area)
    area.select()
    const isCopied = document.execCommand('copy')
    area.remove()
    button.focus()
    return isCopied
  }
}

export function download(name, value) {
  const file = new Blob([`${JSON.stringify(value, null, 2)}\n`], { type: 'application/json' })
  const link = document.createElement('a')
  link.href = URL.createObjectURL(file)
  link.download = name
  link.click()
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000)
}
