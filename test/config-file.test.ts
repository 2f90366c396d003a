import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import test from 'ava'
import { ConfigError } from '../src/config.js'
import { loadConfigFile } from '../src/config-file.js'
import { spawnTwinkey } from './helpers/spawn-service.js'

const folders: string[] = []
function folderWith(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-config-'))
  folders.push(folder)
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
  return folder
}
test.after.always('remove the folders', () => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true })
})

const module = 'export default { hooks: { tokenExpires: () => 60 }, hookTimeoutMs: 5 }'

test('the file of the working directory is loaded, or the one that is named', async (t) => {
  for (const name of ['twinkey.config.mjs', 'twinkey.config.js', 'twinkey.config.ts']) {
    const folder = folderWith({ [name]: module, 'package.json': '{"type":"module"}' })
    t.is((await loadConfigFile({}, folder)).hookTimeoutMs, 5)
  }
  const folder = folderWith({ 'other.mjs': module })
  t.deepEqual(await loadConfigFile({}, folder), {})
  t.is((await loadConfigFile({ TWINKEY_CONFIG: 'other.mjs' }, folder)).hookTimeoutMs, 5)
  const path = join(folder, 'other.mjs')
  t.is((await loadConfigFile({ TWINKEY_CONFIG: path }, '/')).hookTimeoutMs, 5)
})

test('a file that cannot be used is named, with what is wrong', async (t) => {
  for (const [files, env, message] of [
    [{}, { TWINKEY_CONFIG: 'gone.mjs' }, /TWINKEY_CONFIG names .*gone\.mjs, and there is no such/],
    [{ 'twinkey.config.mjs': module, 'twinkey.config.ts': module }, {}, /keep one of them/],
    [{ 'twinkey.config.mjs': 'export default' }, {}, /twinkey\.config\.mjs cannot be loaded/],
    [{ 'twinkey.config.mjs': 'throw new Error("oops")' }, {}, /cannot be loaded: oops/],
    [
      { 'twinkey.config.mjs': 'export const hooks = {}' },
      {},
      /must export its settings by default/,
    ],
    [
      { 'twinkey.config.mjs': 'export default { hooks: { tokenExpire() {} }, now() {} }' },
      {},
      /twinkey\.config\.mjs: now is unknown.*\s+- .*twinkey\.config\.mjs: hooks\.tokenExpire is no hook/,
    ],
  ] as const) {
    await t.throwsAsync(loadConfigFile(env, folderWith(files)), {
      instanceOf: ConfigError,
      message,
    })
  }
})

interface Run {
  code: number | null
  output: string
}

function run(args: string[], folder: string): Promise<Run> {
  const child = spawnTwinkey(args, { DATA_DIR: folder }, folder)
  let output = ''
  child.stdout?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  child.stderr?.on('data', (chunk: Buffer) => {
    output += chunk
  })
  return new Promise((resolve) => child.once('close', (code) => resolve({ code, output })))
}

test('the command line loads it, and its actions are told before it ends', async (t) => {
  const index = fileURLToPath(new URL('../src/index.ts', import.meta.url))
  const folder = folderWith({
    'package.json': '{"type":"module"}',
    'twinkey.config.ts': `
      import { defineConfig, type Events } from ${JSON.stringify(index)}
      export default defineConfig({
        actions: {
          async userChanged({ change }: Events['userChanged']) {
            await new Promise((resolve) => setTimeout(resolve, 50))
            console.error('told: ' + change)
          },
        },
      })`,
  })
  const { code, output } = await run(
    ['user', 'create', 'ada', '--email', 'ada@sample.org', '--generate-password'],
    folder,
  )
  t.is(code, 0, output)
  t.regex(output, /told: created/)
})

test('a mistake in it stops the server with the exit code of a wrong configuration', async (t) => {
  const folder = folderWith({ 'twinkey.config.mjs': 'export default { hooks: { user: 5 } }' })
  const { code, output } = await run(['serve'], folder)
  t.is(code, 3, output)
  t.regex(output, /twinkey\.config\.mjs: hooks\.user must be a function/)
})
