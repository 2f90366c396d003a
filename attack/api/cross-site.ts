import type { Attack, See } from '../attack.js'
import { bearer, type Scene, tokenPath } from '../scene.js'
import type { Answer, Target } from '../target.js'

const evil = 'https://attacker.sample.org'

/** Origins that a careless comparison takes for one of the service's own. */
function origins({ url }: Target): string[] {
  const { origin, host, hostname, protocol } = new URL(url)
  return [
    evil,
    'null',
    `${origin}.attacker.sample.org`,
    `https://attacker.sample.org/${host}`,
    `${protocol}//attacker-${host}`,
    `${protocol}//x.${host}`,
    `${origin}@attacker.sample.org`,
    `${protocol}//${hostname}:1`,
    'file://',
    'chrome-extension://attacker',
  ]
}

/** With credentials nobody else's page may read; without them, only what the operator allowed. */
function leaks({ headers }: Answer, origin: string): boolean {
  const allowed = headers['access-control-allow-origin']
  return allowed === origin || headers['access-control-allow-credentials'] === 'true'
}

const json = { 'Content-Type': 'application/json' }
const urlencoded = 'application/x-www-form-urlencoded'

export const crossSiteAttacks: Attack[] = [
  {
    name: 'web: CORS for any origin that asks',
    expectation: 'no origin is reflected, none gets credentials',
    async run(scene, see) {
      const { target } = scene
      for (const origin of origins(target)) {
        for (const path of [
          '/wp-json/wp/v2/users/me',
          tokenPath,
          '/session',
          '/profile',
          '/forward-auth',
        ]) {
          const plain = await target.send(path, { headers: { Origin: origin } })
          see(`GET ${path} from ${origin}`, plain, !leaks(plain, origin))
          const preflight = await target.send(path, {
            method: 'OPTIONS',
            headers: {
              Origin: origin,
              'Access-Control-Request-Method': 'POST',
              'Access-Control-Request-Headers': 'authorization,x-wp-nonce',
            },
          })
          see(`OPTIONS ${path} from ${origin}`, preflight, !leaks(preflight, origin))
        }
      }
    },
  },
  {
    name: 'web: log-in from another site',
    expectation: 'refused before the password is looked at',
    async run({ target }, see) {
      const fields = { user_login: 'attack', password: 'attack' }
      for (const origin of origins(target)) {
        for (const Accept of ['text/html', 'application/json']) {
          const answer = await target.send('/login', {
            method: 'POST',
            headers: { Origin: origin, Accept, 'Content-Type': urlencoded },
            body: new URLSearchParams(fields).toString(),
          })
          see(`POST /login from ${origin}, for ${Accept}`, answer, answer.status === 403)
        }
      }
    },
  },
  {
    name: 'web: requests that another site’s page can make (CSRF)',
    expectation: 'refused',
    needs: ['a login'],
    run: forgeRequests,
  },
  {
    name: 'web: open redirects',
    expectation: 'never to another host',
    async run({ target }, see) {
      for (const next of [
        '//attacker.sample.org',
        '/\\attacker.sample.org',
        '\\\\attacker.sample.org',
        evil,
        '/profile//attacker.sample.org',
        '/profile/..//attacker.sample.org',
        'javascript:alert(1)',
        '/profile\r\nLocation: https://attacker.sample.org',
        '\t//attacker.sample.org',
        '/%09/attacker.sample.org',
        '///attacker.sample.org/profile',
        'https:attacker.sample.org',
      ]) {
        const page = await target.send(`/login?next=${encodeURIComponent(next)}`)
        const hidden = /name="next"[^>]*value="([^"]*)"|value="([^"]*)"[^>]*name="next"/.exec(
          page.text,
        )
        const kept = hidden?.[1] ?? hidden?.[2] ?? ''
        see(`/login?next=${next}`, page, kept === '' || staysHere(target, kept))
      }
      for (const path of [
        '//attacker.sample.org',
        '//attacker.sample.org/profile',
        '/\\attacker.sample.org',
      ]) {
        const { headers, status } = await target.send(path)
        see(`GET ${path}`, { status }, !headers.location || staysHere(target, headers.location))
      }
    },
  },
  {
    name: 'web: pages in frames, scripts from elsewhere',
    expectation: 'forbidden by headers',
    async run({ target }, see) {
      for (const path of ['/login', '/docs', '/profile', '/wp-json/', tokenPath]) {
        const answer = await target.send(path)
        const { headers } = answer
        const policy = String(headers['content-security-policy'] ?? '')
        see(`${path}: no policy for its contents`, answer, policy.includes("default-src 'none'"))
        see(`${path}: may be framed`, answer, policy.includes("frame-ancestors 'none'"))
        see(`${path}: inline scripts`, answer, !/unsafe-(?:inline|eval)/.test(policy))
        see(
          `${path}: types may be guessed`,
          answer,
          headers['x-content-type-options'] === 'nosniff',
        )
        see(`${path}: names its software`, answer, headers['x-powered-by'] === undefined)
      }
    },
  },
]

function staysHere({ url }: Target, location: string): boolean {
  return new URL(location, url).host === new URL(url).host
}

/** A cookie comes along with whatever a page elsewhere makes a browser send; the nonce does not. */
async function forgeRequests(scene: Scene, see: See): Promise<void> {
  const { target } = scene
  const { cookie, nonce, userId } = scene.session()
  const wrong = nonce.replace(/^./, (first) => (first === 'A' ? 'B' : 'A'))
  const pairs = `/wp-json/wp/v2/key-pair/${userId}`
  const forms = ['/profile/key-pairs', '/profile/revoke-all', '/profile/sessions/end-others']
  const proofs: Record<string, Record<string, string>> = {
    'no nonce': {},
    'an empty nonce': { 'X-WP-Nonce': '' },
    'a wrong nonce': { 'X-WP-Nonce': wrong },
    'a short nonce': { 'X-WP-Nonce': nonce.slice(0, -1) },
    'a nonce of another header': { 'X-CSRF-Token': nonce, 'X-XSRF-Token': nonce },
  }
  for (const [proof, headers] of Object.entries(proofs)) {
    for (const [method, path] of [
      ['GET', pairs],
      ['POST', pairs],
      ['DELETE', `${pairs}/nobodys-key/revoke`],
      ['GET', '/wp-json/wp/v2/users/me'],
    ] as const) {
      const answer = await target.send(`${path}?_wpnonce=${nonce}&name=attack`, {
        method,
        headers: { Cookie: cookie, ...headers, ...(method === 'POST' && json) },
        ...(method === 'POST' && { body: JSON.stringify({ name: 'attack', _wpnonce: nonce }) }),
      })
      see(`${method} ${path} with ${proof}`, answer, answer.status === 401 || answer.status === 403)
    }
  }
  for (const path of forms) {
    const right = { _wpnonce: nonce, name: 'attack', form_token: 'a'.repeat(24) }
    for (const [what, headers, fields] of [
      ['without nonce', {}, { ...right, _wpnonce: '' }],
      ['with a wrong nonce', {}, { ...right, _wpnonce: wrong }],
      ['with two nonces', {}, { ...right, '_wpnonce[]': nonce, _wpnonce: wrong }],
      ['from elsewhere', { Origin: evil }, right],
      ['from nowhere', { Origin: 'null' }, right],
    ] as [string, Record<string, string>, Record<string, string>][]) {
      const answer = await target.send(path, {
        method: 'POST',
        headers: { Cookie: cookie, Accept: 'text/html', 'Content-Type': urlencoded, ...headers },
        body: new URLSearchParams(fields).toString(),
      })
      see(`POST ${path} ${what}`, answer, answer.status >= 400)
    }
    // The types that a form of another site can send without asking first.
    for (const type of [
      'text/plain',
      'text/plain; application/json',
      'application/octet-stream',
      '',
    ]) {
      const answer = await target.send(path, {
        method: 'POST',
        headers: { Cookie: cookie, Accept: 'text/html', ...(type && { 'Content-Type': type }) },
        body: JSON.stringify(right),
      })
      see(`POST ${path} as "${type}"`, answer, answer.status >= 400)
    }
  }
  const after = await target.send('/session', { headers: { Cookie: cookie } })
  see('the session afterwards', after, after.status === 200)
  const byToken = scene.has('a key-pair') ? bearer(scene.tokens().access) : bearer('x')
  const both = await target.send(pairs, {
    headers: { Cookie: cookie, 'X-WP-Nonce': nonce, ...byToken },
  })
  see('a token beside the session', both, both.status === 401 || both.status === 403)
}
