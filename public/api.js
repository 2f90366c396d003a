// Requests to the REST API with the session's nonce, as WordPress's own scripts send them.

/** The service refused: `message` is for people. */
export class Refusal extends Error {
  /** The service's word for it. */
  code
  /** Names of the parameters at fault, each with what is wrong with it. */
  params
}

/** Nobody is logged in any more. */
export class SessionEnded extends Error {}

const labels = {
  name: 'The name',
  expires_at: 'The expiry',
  networks: 'The networks',
  scopes: 'The scopes',
  description: 'The description',
}

/** @returns The answer's JSON. @throws {Refusal | SessionEnded} */
export async function call(method, path, fields = {}) {
  let answer = await request(method, path, fields)
  if (answer.status === 401 || answer.status === 403) {
    const renewed = await renewNonce()
    if (renewed) answer = await request(method, path, fields)
  }
  const body = await answer.json().catch(() => undefined)
  if (answer.ok) return body
  const refusal = new Refusal(messageOf(body) ?? `The service answered ${answer.status}.`)
  refusal.params = body?.data?.params
  refusal.code = body?.code
  throw refusal
}

async function request(method, path, fields) {
  const hasBody = method !== 'GET' && method !== 'DELETE'
  try {
    return await fetch(path, {
      method,
      headers: { 'X-WP-Nonce': document.body.dataset.nonce ?? '', Accept: 'application/json' },
      body: hasBody ? new URLSearchParams(fields) : undefined,
    })
  } catch (cause) {
    throw new Refusal('The service cannot be reached. Nothing was changed; try again.', { cause })
  }
}

/**
 * A refusal may only mean that this person has logged in anew, in another tab.
 *
 * @returns Whether there is a new nonce. @throws {SessionEnded}
 */
async function renewNonce() {
  const answer = await fetch('/session', { headers: { Accept: 'application/json' } })
  if (!answer.ok) throw new SessionEnded()
  const { user, nonce } = await answer.json()
  const { dataset } = document.body
  if (String(user.id) !== dataset.user) throw new SessionEnded()
  if (nonce === dataset.nonce) return false
  dataset.nonce = nonce
  for (const input of document.querySelectorAll('input[name="_wpnonce"]')) input.value = nonce
  return true
}

function messageOf(body) {
  const params = body?.data?.params
  if (!params) return body?.message
  return Object.entries(params)
    .map(([name, problem]) => `${labels[name] ?? name} ${problem}.`)
    .join(' ')
}

/** @returns A page of ours, parsed. @throws {Refusal | SessionEnded} */
export async function readPage(address) {
  let answer
  try {
    answer = await fetch(address, { headers: { Accept: 'text/html' } })
  } catch (cause) {
    throw new Refusal('The service cannot be reached. Try again.', { cause })
  }
  if (new URL(answer.url).pathname === '/login') throw new SessionEnded()
  const page = new DOMParser().parseFromString(await answer.text(), 'text/html')
  if (!answer.ok) throw new Refusal(page.querySelector('h1')?.textContent ?? 'Not found.')
  return page
}
