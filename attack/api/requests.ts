import type { Attack } from '../attack.js'
import { bearer, type Scene, tokenPath } from '../scene.js'
import type { Answer } from '../target.js'

const host = 'attacker.sample.org'

/** Headers by which proxies, and whoever pretends to be one, say what was asked for. */
const claims: Record<string, string> = {
  'X-Forwarded-Host': host,
  'X-Forwarded-Server': host,
  'X-Forwarded-Proto': 'attack',
  'X-Forwarded-Port': '1337',
  'X-Forwarded-Prefix': `//${host}`,
  'X-Host': host,
  'X-HTTP-Host-Override': host,
  Forwarded: `host=${host};proto=attack`,
  'X-Original-URL': '/wp-json/wp/v2/users/me',
  'X-Rewrite-URL': '/wp-json/wp/v2/users/me',
  'X-Forwarded-Uri': '/healthz',
  'X-Forwarded-Method': 'GET',
  'X-Original-Method': 'GET',
}

const identity = ['X-Auth-User-Id', 'X-Auth-User-Login', 'X-Auth-Api-Key', 'X-Auth-Scopes']

const publicPaths = [
  '/wp-json/',
  '/openapi.json',
  '/.well-known/oauth-authorization-server',
  '/login',
  '/docs',
]

function isNoStore({ headers }: Answer): boolean {
  return /no-store/.test(String(headers['cache-control']))
}

export const requestAttacks: Attack[] = [
  {
    name: 'http: poisoned caches',
    expectation: 'made-up hosts change nothing; what is private is never kept',
    async run(scene, see) {
      const { target } = scene
      for (const path of publicPaths) {
        const plain = await target.send(path)
        for (const [name, value] of Object.entries(claims)) {
          const answer = await target.send(path, { headers: { [name]: value } })
          const all = answer.text + JSON.stringify(answer.headers)
          const isSame =
            answer.status === plain.status && !all.includes(host) && !all.includes('1337')
          see(`${path} with ${name}`, answer, isSame)
        }
      }
      for (const path of [
        '/wp-json/wp/v2/users/me',
        tokenPath,
        '/session',
        '/profile',
        '/forward-auth',
        '/login',
      ]) {
        const answer = await target.send(path)
        see(`${path} may be kept`, answer, isNoStore(answer))
      }
      if (!scene.has('a key-pair')) return
      const { access } = scene.tokens()
      for (const path of ['/wp-json/wp/v2/users/me', `${tokenPath}/validate`, '/forward-auth']) {
        const answer = await target.send(path, { headers: bearer(access) })
        see(`${path} with a token may be kept`, answer, isNoStore(answer))
      }
    },
  },
  {
    name: 'http: an identity that the request brings itself',
    expectation: 'ignored',
    async run(scene, see) {
      const { target } = scene
      const made = Object.fromEntries(identity.map((name) => [name, '1']))
      for (const headers of [
        made,
        { ...made, ...claims },
        {
          'X-Forwarded-User': 'admin',
          'X-Remote-User': 'admin',
          'X-User': 'admin',
          'X-WP-User': '1',
        },
        { 'X-Forwarded-For': '127.0.0.1', 'X-Real-IP': '127.0.0.1', 'X-Client-IP': '127.0.0.1' },
      ]) {
        for (const path of [
          '/forward-auth',
          '/wp-json/wp/v2/users/me',
          '/wp-json/wp/v2/key-pair/1',
        ]) {
          const answer = await target.send(path, { headers })
          const isSound =
            answer.status >= 400 && !identity.some((name) => name.toLowerCase() in answer.headers)
          see(`${path} with ${Object.keys(headers)[0]}`, answer, isSound)
        }
      }
      const isExposed = scene.surfaces.some(({ name }) => name === '/forward-auth')
      if (!isExposed) return
      const answer = await target.send('/forward-auth', {
        headers: { ...bearer(scene.tokens().access), ...made },
      })
      const isOwn = answer.headers['x-auth-user-id'] === String(scene.pair().userId)
      see('/forward-auth with a token and a made-up identity', answer, isOwn)
    },
  },
  {
    name: 'http: two Authorization headers',
    expectation: 'every surface reads the same one',
    needs: ['a key-pair'],
    async run({ target, tokens }, see) {
      const { access } = tokens()
      const bad = 'Bearer x.y.z'
      const good = `Bearer ${access}`
      const paths = [
        '/wp-json/wp/v2/users/me',
        `${tokenPath}/validate`,
        '/wp/v2/token/validate/',
        '/forward-auth',
      ]
      for (const [name, values] of Object.entries({
        'good, bad': [good, bad],
        'bad, good': [bad, good],
      })) {
        const verdicts = new Set<string>()
        for (const path of paths) {
          const answer = await target.send(path, { headers: { Authorization: values } })
          if (answer.status !== 404) verdicts.add(answer.status < 300 ? 'accepted' : 'refused')
        }
        see(name, [...verdicts].join(' and '), verdicts.size === 1)
      }
      for (const value of [
        `${good}, ${bad}`,
        `${bad}, ${good}`,
        `${good},`,
        `Basic eDp5, ${good}`,
        `${good}\t${bad}`,
      ]) {
        for (const path of paths) {
          const answer = await target.send(path, { headers: { Authorization: value } })
          see(`${value.replaceAll(access, 'TOKEN')} at ${path}`, answer, answer.status >= 400)
        }
      }
    },
  },
  {
    name: 'http: smuggled requests',
    expectation: 'refused, and nothing behind them is answered',
    run: smuggle,
  },
]

async function smuggle(
  { target }: Scene,
  see: (what: string, seen: { status: number } | string, isSound: boolean) => void,
) {
  const own = `Host: ${new URL(target.url).host}`
  const base = new URL(target.url).pathname.replace(/\/+$/, '')
  const form = 'Content-Type: application/x-www-form-urlencoded'
  const hidden = `GET ${base}/healthz?smuggled HTTP/1.1\r\n${own}\r\n\r\n`
  const chunked = `0\r\n\r\n${hidden}`
  const length = `Content-Length: ${chunked.length}`
  const cases: Record<string, [string[], string]> = {
    'length and chunks': [[length, 'Transfer-Encoding: chunked'], chunked],
    'chunks and length': [['Transfer-Encoding: chunked', length], chunked],
    'two lengths': [['Content-Length: 0', length], chunked],
    'a list of lengths': [[`Content-Length: 0, ${chunked.length}`], chunked],
    'a signed length': [[`Content-Length: +${chunked.length}`], chunked],
    'a length in hexadecimal': [['Content-Length: 0x10'], chunked],
    'a space before the colon': [['Transfer-Encoding : chunked', 'Content-Length: 4'], chunked],
    'a folded header': [['Transfer-Encoding:\r\n chunked', 'Content-Length: 4'], chunked],
    'a tab before the value': [['Transfer-Encoding:\tchunked', 'Content-Length: 4'], chunked],
    'an unknown coding': [['Transfer-Encoding: xchunked', 'Content-Length: 4'], chunked],
    'chunked twice': [['Transfer-Encoding: chunked, identity', 'Content-Length: 4'], chunked],
    'a NUL in a header': [['X: a\0b', 'Content-Length: 0'], ''],
    'a bare line feed': [['X: y\nTransfer-Encoding: chunked', 'Content-Length: 4'], chunked],
    'a chunk of negative size': [['Transfer-Encoding: chunked'], `-1\r\n${hidden}`],
    'a chunk of huge size': [['Transfer-Encoding: chunked'], `ffffffffffffffffff\r\n${hidden}`],
  }
  for (const path of [tokenPath, '/login', '/forward-auth']) {
    for (const [name, [lines, body]] of Object.entries(cases)) {
      const head = [`POST ${base}${path} HTTP/1.1`, own, form, 'Connection: close', ...lines]
      const answer = await target.sendBytes(`${head.join('\r\n')}\r\n\r\n${body}`)
      const statuses = [...answer.matchAll(/HTTP\/1\.\d (\d{3})/g)].map(([, status]) =>
        Number(status),
      )
      const isSound =
        statuses.length <= 1 && (statuses[0] ?? 400) >= 400 && (statuses[0] ?? 400) < 500
      // A server may judge by one reading of the length, as long as it ends the connection there.
      see(
        `${path}: ${name}`,
        statuses.length > 1 ? 'two answers' : { status: statuses[0] ?? 400 },
        isSound,
      )
    }
  }
}
