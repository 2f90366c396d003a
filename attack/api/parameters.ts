import type { Attack, See } from '../attack.js'
import { type Scene, tokenPath } from '../scene.js'
import type { Answer } from '../target.js'

const urlencoded = 'application/x-www-form-urlencoded'

function send({ target }: Scene, path: string, type: string, body: string): Promise<Answer> {
  return target.send(path, { method: 'POST', headers: { 'Content-Type': type }, body })
}

const isRefusal = ({ status }: Answer) => status >= 400 && status < 500

export const parameterAttacks: Attack[] = [
  {
    name: 'api: parameters twice, elsewhere, or of another type',
    expectation: 'refused: one request means one thing',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { apiKey, apiSecret } = scene.pair()
      const key = `api_key=${apiKey}`
      const secret = `api_secret=${apiSecret}`
      const forms: Record<string, string> = {
        'two keys': `${key}&api_key=x&${secret}`,
        'two keys, the good one last': `api_key=x&${key}&${secret}`,
        'two secrets': `${key}&${secret}&api_secret=x`,
        'two secrets, the good one last': `${key}&api_secret=x&${secret}`,
        'a list': `api_key[]=${apiKey}&${secret}`,
        'an object': `api_key[x]=${apiKey}&${secret}`,
        'an operator': `api_key[$ne]=x&api_secret[$ne]=x`,
        'a prototype': `__proto__[api_key]=${apiKey}&__proto__[api_secret]=${apiSecret}`,
        'a constructor': `constructor[prototype][api_key]=${apiKey}&${secret}`,
        semicolons: `${key};${secret}`,
        'JSON in a form': JSON.stringify({ api_key: apiKey, api_secret: apiSecret }),
        'two grant types': `grant_type=client_credentials&grant_type=password&${key}&${secret}`,
        'two names for one': `grant_type=client_credentials&client_id=${apiKey}&${key}&${secret}`,
        'NUL at the end': `${key}%00&${secret}`,
        'a space in the secret': `${key}&${secret}%00x`,
      }
      for (const [name, body] of Object.entries(forms)) {
        for (const path of [tokenPath, `${tokenPath}/`]) {
          const answer = await send(scene, path, urlencoded, body)
          see(`${name} at ${path}`, answer, isRefusal(answer))
        }
      }
      const values: Record<string, unknown> = {
        lists: { api_key: [apiKey], api_secret: [apiSecret] },
        objects: { api_key: { $gt: '' }, api_secret: { $gt: '' } },
        true: { api_key: true, api_secret: true },
        numbers: { api_key: 0, api_secret: 0 },
        'a list of requests': [{ api_key: apiKey, api_secret: apiSecret }],
        'a text': `${key}&${secret}`,
        'a prototype': JSON.parse(
          `{"__proto__":{"api_key":"${apiKey}","api_secret":"${apiSecret}"}}`,
        ),
      }
      for (const [name, value] of Object.entries(values)) {
        const answer = await send(scene, tokenPath, 'application/json', JSON.stringify(value))
        see(`${name} in JSON`, answer, isRefusal(answer))
      }
      const form = `${key}&${secret}`
      for (const type of [
        'application/json',
        'text/plain',
        'application/xml',
        'text/html',
        'multipart/form-data',
        'x/y',
      ]) {
        const answer = await send(scene, tokenPath, type, form)
        see(`a form that calls itself ${type}`, answer, isRefusal(answer))
      }
      for (const method of ['POST', 'GET']) {
        const answer = await scene.target.send(`${tokenPath}?${form}`, { method })
        see(`${method} with the key-pair in the query`, answer, isRefusal(answer))
      }
    },
  },
  {
    name: 'api: two proofs of one client',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run({ target, pair }, see) {
      const { apiKey, apiSecret } = pair()
      const basic = `Basic ${btoa(`${apiKey}:${apiSecret}`)}`
      const wrong = `Basic ${btoa(`${apiKey}:wrong`)}`
      const secret = `client_id=${apiKey}&client_secret=${apiSecret}`
      for (const [name, Authorization, body] of [
        ['Basic and body', basic, secret],
        ['wrong Basic and body', wrong, secret],
        ['Basic and another id', basic, 'client_id=x'],
        ['Basic with NUL', `Basic ${btoa(`${apiKey}:${apiSecret}\0`)}`, ''],
        ['Basic and a wrong secret', basic, `client_id=${apiKey}&client_secret=wrong`],
        ['Basic that is no base64', `Basic ${apiKey}:${apiSecret}`, ''],
      ] as const) {
        for (const path of ['/oauth2/token', '/oauth2/introspect']) {
          const answer = await target.send(path, {
            method: 'POST',
            headers: { Authorization, 'Content-Type': urlencoded },
            body: `grant_type=client_credentials&token=x&${body}`,
          })
          see(`${name} at ${path}`, answer, isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'api: what nobody may choose (mass assignment)',
    expectation: 'ignored or refused',
    needs: ['a login'],
    run: assign,
  },
  {
    name: 'web: names that are markup, formulas or log lines',
    expectation: 'shown as they were typed',
    needs: ['a login'],
    run: storeNames,
  },
  {
    name: 'http: answers that tell too much',
    expectation: 'no traces, paths, queries or versions',
    async run({ target }, see) {
      const telling =
        /at \S+ \(|node_modules|\/src\/|SQLITE_|ER_[A-Z_]+|select .* from|koa|node\/\d/i
      for (const [path, type, body] of [
        [tokenPath, 'application/json', '{'],
        [tokenPath, 'application/json', '{"api_key":1,"api_secret":{}}'],
        [tokenPath, urlencoded, "api_key=%E0%A4%A&api_secret='"],
        [tokenPath, 'multipart/form-data; boundary=x', '--x\r\nContent'],
        ['/login', 'application/json', '{"user_login":"\' or 1=1 --","password":"\\u0000"}'],
        [
          '/oauth2/token',
          urlencoded,
          'grant_type=client_credentials&client_id=%27&client_secret=%27',
        ],
        ['/wp-json/wp/v2/users/%27', urlencoded, ''],
        ['/wp-json/wp/v2/nothing', urlencoded, ''],
      ] as const) {
        const answer = await target.send(path, {
          method: 'POST',
          headers: { 'Content-Type': type },
          body,
        })
        see(`${path} ${body}`, answer, isRefusal(answer) && !telling.test(answer.text))
      }
    },
  },
]

function asPerson(scene: Scene, method: string, path: string, body?: object): Promise<Answer> {
  const { cookie, nonce } = scene.session()
  return scene.target.send(path, {
    method,
    headers: { Cookie: cookie, 'X-WP-Nonce': nonce, 'Content-Type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
}

/** Mints, looks, and revokes again. */
async function withPair(
  scene: Scene,
  body: object,
  look: (answer: Answer) => Promise<void>,
): Promise<void> {
  const path = `/wp-json/wp/v2/key-pair/${scene.session().userId}`
  const answer = await asPerson(scene, 'POST', path, body)
  try {
    await look(answer)
  } finally {
    const key = answer.status === 200 ? JSON.parse(answer.text).row.api_key : undefined
    if (key) await asPerson(scene, 'DELETE', `${path}/${key}/revoke`)
  }
}

async function assign(scene: Scene, see: See): Promise<void> {
  const { userId } = scene.session()
  const wanted = {
    id: 1,
    api_key: `${userId}attack`,
    api_secret: 'attack',
    created: 1,
    created_by: 1,
    last_used: 1,
    last_ip: '203.0.113.99',
    revoked: 'x',
    secret_version: 99,
    secret_hash: 'x',
    roles: ['administrator'],
    role: 'administrator',
    is_admin: true,
  }
  await withPair(scene, { name: 'attack', ...wanted }, async (answer) => {
    const isPlain =
      !answer.text.includes('203.0.113.99') && !answer.text.includes(`${userId}attack"`)
    see(
      'a key-pair with everything',
      answer,
      isRefusal(answer) || (answer.status === 200 && isPlain),
    )
  })
  for (const user_id of [userId + 1, 1, [userId, 1], { id: 1 }, `${userId},1`]) {
    if (user_id === userId) continue
    await withPair(scene, { name: 'attack', user_id }, async (answer) => {
      see(`user_id ${JSON.stringify(user_id)}`, answer, isRefusal(answer))
    })
  }
  const me = await asPerson(scene, 'GET', '/wp-json/wp/v2/users/me?context=edit')
  for (const method of ['POST', 'PUT', 'PATCH']) {
    for (const path of ['/wp-json/wp/v2/users/me', `/wp-json/wp/v2/users/${userId}`]) {
      const answer = await asPerson(scene, method, path, {
        roles: ['administrator'],
        capabilities: {},
      })
      see(`${method} ${path} with roles`, answer, isRefusal(answer))
    }
  }
  const after = await asPerson(scene, 'GET', '/wp-json/wp/v2/users/me?context=edit')
  see('the user afterwards', after, after.text === me.text)
}

export const nastyNames = [
  '<img src=x onerror=alert(1)>',
  '"><script>alert(1)</script>',
  "'-alert(1)-'",
  '</title><svg/onload=alert(1)>',
  '=HYPERLINK("https://attacker.sample.org","x")',
  "@SUM(1+1)*cmd|' /C calc'!A0",
  'x\r\n{"level":60,"msg":"forged"}',
  '\u202Egnp.exe',
  '{{constructor.constructor("alert(1)")()}}',
]

async function storeNames(scene: Scene, see: See): Promise<void> {
  for (const name of nastyNames) {
    await withPair(scene, { name, description: name }, async (answer) => {
      if (answer.status !== 200) return see(JSON.stringify(name), answer, isRefusal(answer))
      see(
        `${JSON.stringify(name)}: not as JSON`,
        answer,
        /^application\/json/.test(answer.headers['content-type'] ?? ''),
      )
      const headers = { Cookie: scene.session().cookie, Accept: 'text/html' }
      const page = await scene.target.send('/profile', { headers })
      const isRaw = /[<>"]/.test(name) && page.text.includes(name)
      see(`${JSON.stringify(name)} on the profile page`, page, page.status === 200 && !isRaw)
    })
  }
}
