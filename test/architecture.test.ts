import { readdirSync, readFileSync } from 'node:fs'
import { join, posix } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'

// http → services → store, with domain under all three and views hanging off http. Types count: a
// layer that names another's types knows it.

const root = fileURLToPath(new URL('..', import.meta.url))

interface Rule {
  /** Folders and files of ours (`errors`), and packages. */
  may: readonly string[]
  /** Of these it may name the types, and nothing that is there when the program runs. */
  mayNameTypesOf?: readonly string[]
}

const rules: Record<string, Rule> = {
  domain: { may: ['node:crypto', 'node:net', 'node:zlib', '@node-rs/argon2', 'nanoid', 'otplib'] },
  store: {
    may: [
      'domain',
      'db',
      'knex',
      'better-sqlite3',
      'mysql2',
      'node:crypto',
      'node:fs',
      'node:fs/promises',
      'node:path',
      'node:timers/promises',
    ],
    mayNameTypesOf: ['config', 'database-url'],
  },
  services: {
    may: [
      'domain',
      'errors',
      // Only it can tell a database that cannot be reached from a mistake in a query.
      'store/unavailable',
      'jose',
      'lru-cache',
      'node:crypto',
      'rate-limiter-flexible',
      'node:net',
      'node:timers/promises',
      '@simplewebauthn/server',
    ],
    mayNameTypesOf: ['store', 'config', 'logger', 'hooks'],
  },
  views: {
    may: ['domain', 'preact', 'preact-render-to-string'],
    mayNameTypesOf: ['services'],
  },
  http: {
    may: [
      'domain',
      'errors',
      'views',
      'koa',
      '@koa/router',
      'koa-body',
      'co-body',
      'helmet',
      'nanoid',
      'preact',
      'qrcode',
      'zod',
      'node:crypto',
      'node:fs',
      'node:http',
      'node:module',
      'node:net',
      'node:path',
      'node:stream',
    ],
    mayNameTypesOf: ['services', 'logger', 'hooks'],
  },
  metrics: {
    may: [
      'domain',
      'errors',
      'prom-client',
      'node:crypto',
      'node:diagnostics_channel',
      'node:http',
    ],
    mayNameTypesOf: ['services', 'store', 'logger'],
  },
  'error-catalogue.ts': { may: [] },
  'errors.ts': { may: ['error-catalogue'] },
  'database-url.ts': { may: ['node:fs', 'node:net', 'node:path'] },
  'config-limits.ts': { may: ['config-values', 'domain', 'zod'] },
  'config-tokens.ts': { may: ['domain', 'zod'] },
  'config-values.ts': { may: ['zod'] },
  'config-metrics.ts': { may: ['zod'] },
  'config-secrets.ts': {
    may: ['config-metrics', 'domain', 'zod', 'node:fs', 'node:path'],
    mayNameTypesOf: ['config'],
  },
  'config.ts': {
    may: [
      'config-limits',
      'config-metrics',
      'config-secrets',
      'config-values',
      'config-tokens',
      'database-url',
      'domain',
      'zod',
      'node:fs',
      'node:path',
      'node:util',
    ],
  },
  'logger.ts': { may: [] },
  'hooks.ts': { may: ['domain'] },
  'extensions.ts': { may: ['config', 'domain', 'hooks'], mayNameTypesOf: ['services'] },
  'config-file.ts': {
    may: ['jiti', 'config', 'extensions', 'node:fs', 'node:module', 'node:path', 'node:url'],
    mayNameTypesOf: ['hooks'],
  },
  'lanes.ts': {
    may: ['http', 'node:http'],
    mayNameTypesOf: ['services', 'config', 'logger'],
  },
  'app.ts': {
    may: ['http', 'lanes', 'koa', '@koa/cors'],
    mayNameTypesOf: ['services', 'config', 'logger'],
  },
}

interface Import {
  specifier: string
  isTypeOnly: boolean
}

function readImports(source: string): Import[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')
  const found: Import[] = []
  for (const match of code.matchAll(
    /\b(import|export)\s+(type\s)?([^'"()]*?)\bfrom\s*['"]([^'"]+)['"]/g,
  )) {
    const [, , type, clause = '', specifier = ''] = match
    const names = /^\s*\{([^}]*)\}\s*$/
      .exec(clause)?.[1]
      ?.split(',')
      .filter((name) => name.trim())
    const allTypes = names?.every((name) => /^\s*type\s/.test(name)) ?? false
    found.push({ specifier, isTypeOnly: type !== undefined || allTypes })
  }
  // Not the last word of a path, as in 'jose/key/import'.
  for (const match of code.matchAll(/(?<![\w/])(?:import|require)\s*\(?\s*['"]([^'"]+)['"]/g)) {
    found.push({ specifier: match[1] ?? '', isTypeOnly: false })
  }
  return found
}

/** What a module is called in the rules: `store/key-pairs`, `errors`, `db/columns`, `node:fs`. */
function nameOf(specifier: string, path: string): string {
  if (!specifier.startsWith('.')) return specifier
  const target = posix.join(posix.dirname(path), specifier).replace(/\.[jt]sx?$/, '')
  return target.replace(/^src\//, '')
}

/** @returns The imports of a file that break its rule. */
function violations(path: string, source: string): string[] {
  const [, owner = ''] = path.split('/')
  const rule = rules[owner]
  if (!rule) return [`${path} has no rule`]
  const isIn = (name: string, list: readonly string[]) =>
    list.some((allowed) => name === allowed || name.startsWith(`${allowed}/`))
  return readImports(source)
    .filter(({ specifier, isTypeOnly }) => {
      const name = nameOf(specifier, path)
      if (isIn(name, [owner, ...rule.may])) return false
      return !(isTypeOnly && isIn(name, rule.mayNameTypesOf ?? []))
    })
    .map(({ specifier, isTypeOnly }) => `${path} -> ${isTypeOnly ? 'type ' : ''}${specifier}`)
}

const sources = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
  .map((entry) => {
    const file = join(entry.parentPath, entry.name)
    return {
      path: file.slice(root.length).replaceAll('\\', '/'),
      source: readFileSync(file, 'utf8'),
    }
  })

/** These assemble, and are imported by nothing below them. */
const assemblers = ['cli', 'runtime.ts', 'index.ts']

for (const owner of Object.keys(rules)) {
  test(`${owner} imports only what it may`, (t) => {
    const files = sources.filter(({ path }) => path.split('/')[1] === owner)
    t.true(files.length > 0)
    t.deepEqual(
      files.flatMap(({ path, source }) => violations(path, source)),
      [],
    )
  })
}

test('every file and folder of src has a rule', (t) => {
  const owners = new Set(sources.map(({ path }) => path.split('/')[1] ?? ''))
  t.deepEqual(
    [...owners].filter((owner) => !rules[owner] && !assemblers.includes(owner)),
    [],
  )
})

for (const [path, source, broken] of [
  ['src/domain/a.ts', "import knex from 'knex'", true],
  ['src/domain/a.ts', "import type { Knex } from 'knex'", true],
  ['src/domain/a.ts', "import type { Stores } from '../store/index.js'", true],
  ['src/domain/a.ts', "import { User } from './user.js'", false],
  ['src/store/a.ts', "import { createTokenService } from '../services/tokens.js'", true],
  ['src/store/a.ts', "import type { Config } from '../config.js'", false],
  ['src/store/a.ts', "import { loadConfig } from '../config.js'", true],
  ['src/services/a.ts', "import type { Stores } from '../store/index.js'", false],
  ['src/services/a.ts', "import { type Stores, type X } from '../store/index.js'", false],
  ['src/services/a.ts', "import { type Stores, createStores } from '../store/index.js'", true],
  ['src/services/a.ts', "import {\n  createStores,\n} from '../store/index.js'", true],
  ['src/services/a.ts', "export { createStores } from '../store/index.js'", true],
  ['src/services/a.ts', "const { default: Koa } = await import('koa')", true],
  ['src/services/a.ts', "import 'koa'", true],
  ['src/services/a.ts', "import type { Context } from 'koa'", true],
  ['src/services/a.ts', "// import Koa from 'koa'\n/* import 'koa' */", false],
  ['src/http/wp/a.ts', "import { createKeyPairStore } from '../../store/key-pairs.js'", true],
  ['src/http/wp/a.ts', "import type { KeyPairStore } from '../../store/key-pairs.js'", true],
  ['src/http/wp/a.ts', "import { text } from '../params.js'", false],
  ['src/views/a.tsx', "import type { Context } from 'koa'", true],
  ['src/new/a.ts', '', true],
] as const) {
  test(`the rules ${broken ? 'refuse' : 'allow'} ${source.replace(/\s+/g, ' ')} in ${path}`, (t) => {
    t.is(violations(path, source).length > 0, broken)
  })
}

// How long something takes is no time of day: `performance.now()` may be asked anywhere.
test('the clock and the environment are read at the edges only', (t) => {
  const inner = sources.filter(({ path }) => !/^src\/(cli\/|runtime\.ts)/.test(path))
  const code = inner.map(({ path, source }) => ({
    path,
    text: source.replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, ''),
  }))
  const readers = code.filter(({ text }) => /Date\.now\(|new Date\(\)|process\.env\b/.test(text))
  t.deepEqual(
    readers.map(({ path }) => path),
    [],
  )
})
