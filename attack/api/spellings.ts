import type { Attack } from '../attack.js'
import { bearer } from '../scene.js'
import type { Answer } from '../target.js'

/** The same path in the spellings that proxies and routers read differently. */
export function spellings(path: string): string[] {
  const [first = '', ...rest] = path.slice(1).split('/')
  const tail = rest.join('/')
  return [
    `/${path}`,
    `${path}/`,
    `${path}//`,
    `/${first}//${tail}`,
    `/./${first}/${tail}`,
    `/${first}/./${tail}`,
    `/x/../${first}/${tail}`,
    `/healthz/../${first}/${tail}`,
    `/healthz/..;/${first}/${tail}`,
    `/healthz%2f..%2f${first}/${tail}`,
    `${path};x=1`,
    `/${first};x=1/${tail}`,
    `${path}%00`,
    `${path}%20`,
    `${path}.`,
    `${path}.json`,
    `${path}.css`,
    `${path}/x.css`,
    `${path}%2fx.css`,
    `${path}%3fx.css`,
    `${path}%23x.css`,
    path.replaceAll('/', '%2f').replace('%2f', '/'),
    path.replaceAll('/', '%252f').replace('%252f', '/'),
    path.replaceAll('/', '\\').replace('\\', '/'),
    path.toUpperCase(),
    path.replace('e', '%65'),
    path.replace('e', '%C0%E5'),
    path.replace('e', '\u0435').replace(/[^\x20-\x7e]/g, encodeURIComponent),
    `${path}?`,
    `${path}#x`,
    `${path}?rest_route=/`,
    `/?rest_route=${path.replace(/^\/wp-json/, '')}`,
    `/index.php?rest_route=${path.replace(/^\/wp-json/, '')}`,
    `/index.php/x?rest_route=${path.replace(/^\/wp-json/, '')}`,
  ]
}

const isRefusal = ({ status }: Answer) => status >= 300 && status < 500

const overrides = ['X-HTTP-Method-Override', 'X-HTTP-Method', 'X-Method-Override', '_method']

export const spellingAttacks: Attack[] = [
  {
    name: 'api: closed routes in other spellings, without credentials',
    expectation: 'refused',
    async run({ target }, see) {
      for (const path of [
        '/wp-json/wp/v2/users/me',
        '/wp-json/wp/v2/users',
        '/wp-json/wp/v2/key-pair/1',
        '/forward-auth',
        '/profile',
        '/users',
        '/session',
      ]) {
        for (const spelling of spellings(path)) {
          const answer = await target.send(spelling)
          // The front page and the index are anybody's, whatever was meant.
          const isIndex = answer.status === 200 && /"namespaces"/.test(answer.text)
          see(`GET ${spelling}`, answer, isIndex || isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'api: what is private, under the name of what is kept',
    expectation: 'never to be kept by a cache',
    needs: ['a key-pair'],
    async run({ target, tokens }, see) {
      const headers = bearer(tokens().access)
      for (const spelling of spellings('/wp-json/wp/v2/users/me')) {
        const answer = await target.send(spelling, { headers })
        const mayBeKept = !/no-store/.test(String(answer.headers['cache-control']))
        see(`GET ${spelling}`, answer, !(answer.status === 200 && mayBeKept))
      }
    },
  },
  {
    name: 'api: the method in disguise, by a token',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run({ target, tokens, pair }, see) {
      const { userId } = pair()
      const path = `/wp-json/wp/v2/key-pair/${userId}`
      for (const [method, address] of [
        ['POST', path],
        ['DELETE', `${path}/nobodys-key/revoke`],
        ['PATCH', `${path}/nobodys-key`],
      ]) {
        for (const sent of ['GET', 'POST', 'HEAD', 'OPTIONS', 'PUT', 'TRACE', 'PROPFIND']) {
          for (const name of overrides) {
            const answer = await target.send(`${address}?_method=${method}`, {
              method: sent,
              headers: {
                ...bearer(tokens().access),
                [name]: String(method),
                'Content-Type': 'application/json',
              },
              ...(sent === 'POST' || sent === 'PUT' ? { body: '{"name":"attack"}' } : {}),
            })
            // OPTIONS describes the route to anybody; it does nothing.
            const isSound = isRefusal(answer) || sent === 'OPTIONS'
            see(`${sent} for ${method} ${address}, ${name}`, answer, isSound)
          }
        }
      }
    },
  },
  {
    name: 'http: targets that parsers read differently',
    expectation: 'refused',
    async run({ target }, see) {
      const { host } = new URL(target.url)
      for (const text of [
        '//x@?#',
        '//x@#x',
        '//x@?y#z',
        '//@/wp-json/wp/v2/users/me',
        '//[/x',
        '//[::1/x',
        '//x:y@z:99999/',
        '/\\x@?#',
        '?x',
        '#',
        'x',
        'http://[',
        'http://',
        'http:x',
        'javascript:x',
        `http://x@${host}?#`,
        '/%',
        '/%ff%fe',
        '/?%',
        '/?rest_route=%ff',
        '/index.php?rest_route=//x@?#',
      ]) {
        const lines = [`GET ${text} HTTP/1.1`, `Host: ${host}`, 'Connection: close', '', '']
        const answer = await target.sendBytes(lines.join('\r\n'))
        const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(answer)?.[1] ?? 0)
        // What is left of some is the front page.
        see(`GET ${text}`, status === 0 ? 'closed' : { status }, status < 500)
      }
    },
  },
  {
    name: 'api: methods that nobody serves',
    expectation: 'refused, and never echoed',
    async run({ target }, see) {
      for (const path of ['/wp-json/wp/v2/token', '/profile', '/forward-auth']) {
        for (const method of ['TRACE', 'TRACK', 'CONNECT', 'DEBUG']) {
          const lines = [`${method} ${path} HTTP/1.1`, `Host: ${new URL(target.url).host}`]
          const bytes = [...lines, 'X-Echo: attack-echo', 'Connection: close', '', ''].join('\r\n')
          const answer = await target.sendBytes(bytes)
          const status = Number(/^HTTP\/1\.\d (\d{3})/.exec(answer)?.[1] ?? 0)
          const isSound =
            !answer.includes('attack-echo') && (status === 0 || isRefusal({ status } as Answer))
          see(`${method} ${path}`, status === 0 ? 'closed' : { status }, isSound)
        }
      }
    },
  },
]
