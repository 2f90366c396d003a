import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test from 'ava'
import { readDatabaseUrl } from '../src/database-url.js'

const folder = mkdtempSync(join(tmpdir(), 'twinkey-url-'))
test.after.always('remove the folder', () => rmSync(folder, { recursive: true, force: true }))

function read(text: string | undefined, directory = '/srv/app') {
  const problems: string[] = []
  const address = readDatabaseUrl(text, { dataDir: '/srv/app/data', directory, problems })
  return { address, problems }
}

const inDataDir = '/srv/app/data/twinkey.sqlite'
for (const [text, filename] of [
  [undefined, inDataDir],
  ['sqlite:', inDataDir],
  ['sqlite://', inDataDir],
  ['sqlite:keys.db', '/srv/app/keys.db'],
  ['sqlite:./a/keys.db', '/srv/app/a/keys.db'],
  ['sqlite://a/keys.db', '/srv/app/a/keys.db'],
  ['sqlite:/var/keys.db', '/var/keys.db'],
  ['sqlite:///var/keys.db', '/var/keys.db'],
  ['sqlite:/var/my keys%20.db', '/var/my keys%20.db'],
  ['sqlite::memory:', ':memory:'],
] as const) {
  test(`${text} is the file ${filename}`, (t) => {
    t.deepEqual(read(text), { address: { dialect: 'sqlite', filename }, problems: [] })
  })
}

const address = {
  dialect: 'mysql',
  hosts: [{ host: 'db', port: 3306 }],
  user: 'ada',
  password: 'pw',
  database: 'twinkey',
  ssl: undefined,
}
for (const [text, difference] of [
  ['mysql://ada:pw@db/twinkey', {}],
  ['mariadb://ada:pw@db:3307/twinkey', { hosts: [{ host: 'db', port: 3307 }] }],
  ['mysql://ada@db/twinkey', { password: '' }],
  ['mysql://db/twinkey', { user: '', password: '' }],
  [
    'mysql://a%40b:p%40%3A%2F%3F%23%25%20%F0%9F%94%91@db/twinkey',
    { user: 'a@b', password: 'p@:/?#% 🔑' },
  ],
  ['mysql://ada:p+w!$&*;=~@db/twinkey', { password: 'p+w!$&*;=~' }],
  ['mysql://ada:pw@[2001:db8::1]:3307/twinkey', { hosts: [{ host: '2001:db8::1', port: 3307 }] }],
  [
    'mysql://ada:pw@127.0.0.1/my%2Dkeys',
    { hosts: [{ host: '127.0.0.1', port: 3306 }], database: 'my-keys' },
  ],
  ['mysql://ada:pw@db/twinkey?ssl=false', {}],
  [
    'mysql://ada:p%2Cw@db1:3307,db2,[2001:db8::1]:3308/twinkey',
    {
      password: 'p,w',
      hosts: [
        { host: 'db1', port: 3307 },
        { host: 'db2', port: 3306 },
        { host: '2001:db8::1', port: 3308 },
      ],
    },
  ],
] as const) {
  test(`${text} is read`, (t) => {
    t.deepEqual(read(text), { address: { ...address, ...difference }, problems: [] } as never)
  })
}

for (const text of [
  'twinkey.sqlite',
  'postgres://ada:pw@db/twinkey',
  'mysql:ada@db/twinkey',
  'mysql://',
  'mysql://ada:pw@db',
  'mysql://ada:pw@db/',
  'mysql://ada:pw@/twinkey',
  'mysql://ada:pw@db/a/b',
  'mysql://ada:pw@db:99999/twinkey',
  'mysql://ada:100%@db/twinkey',
  'mysql://ada:pw@db/twin%key',
]) {
  test(`${text} is refused`, (t) => {
    const { address, problems } = read(text)
    t.is(address, undefined)
    t.is(problems.length, 1)
    t.regex(problems[0] ?? '', /^DATABASE_URL /)
  })
}

const sslOf = (query: string, host = 'db') => {
  const { address, problems } = read(`mysql://ada:pw@${host}/twinkey?${query}`, folder)
  return { ssl: address && 'ssl' in address ? address.ssl : undefined, problems }
}

for (const [query, ssl] of [
  ['ssl=true', { rejectUnauthorized: true, verifyIdentity: true }],
  ['ssl=verify-ca', { rejectUnauthorized: true, verifyIdentity: false }],
  ['ssl=skip-verify', { rejectUnauthorized: false, verifyIdentity: false }],
] as const) {
  test(`?${query} asks for TLS`, (t) => t.deepEqual(sslOf(query), { ssl, problems: [] }))
}

test('the files of a certificate authority and of a client are read', (t) => {
  for (const name of ['ca', 'cert', 'key']) writeFileSync(join(folder, `${name}.pem`), `${name}!`)
  const files = { ca: 'ca!', cert: 'cert!', key: 'key!' }
  const query = `ssl_ca=ca.pem&ssl_cert=${join(folder, 'cert.pem')}&ssl_key=key.pem`
  const strict = { rejectUnauthorized: true, verifyIdentity: true }
  t.deepEqual(sslOf('ssl_ca=ca.pem'), { ssl: { ...strict, ca: 'ca!' }, problems: [] })
  t.deepEqual(sslOf(query), { ssl: { ...strict, ...files }, problems: [] })
  t.deepEqual(sslOf(`ssl=verify-ca&${query}`, '127.0.0.1'), {
    ssl: { rejectUnauthorized: true, verifyIdentity: false, ...files },
    problems: [],
  })
  t.is(sslOf(`ssl=false&${query}`).ssl, undefined)
})

for (const [query, problem] of [
  ['ssl=maybe', /"ssl" must be true, false, verify-ca or skip-verify$/],
  ['sslmode=require', /unknown option "sslmode" \(known: ssl, ssl_ca, ssl_cert, ssl_key\)$/],
  ['SSL=true', /unknown option "SSL"/],
  ['ssl_ca=nowhere.pem', /"ssl_ca" cannot be read: ENOENT/],
] as const) {
  test(`?${query} is refused`, (t) => {
    const { problems } = sslOf(query)
    t.is(problems.length, 1)
    t.regex(problems[0] ?? '', problem)
  })
}

for (const host of ['127.0.0.1', '[::1]']) {
  test(`the certificate of ${host} cannot be checked for its name`, (t) => {
    t.regex(sslOf('ssl=true', host).problems[0] ?? '', /use its name, or ssl=verify-ca$/)
  })
}
