import { execFile } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import test from 'ava'
import { findBinary } from './helpers/binaries.js'
import { spawnService } from './helpers/spawn-service.js'

const readme = readFileSync(new URL('../README.md', import.meta.url), 'utf8')
const canRun = findBinary('bash') !== undefined && findBinary('curl') !== undefined
const register = canRun ? test : test.skip

// What a newcomer pastes, pasted: a README that lies is worse than none.
register('the commands of the README do what it shows', async (t) => {
  const service = await spawnService()
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-readme-'))
  try {
    const password = /Password {2}(\S+)/.exec(service.output())?.[1]
    const blocks = [...readme.matchAll(/```sh\n([\s\S]*?)```/g)].map((match) => match[1])
    t.true(blocks.length >= 5)
    const script = ['set -eu', ...blocks]
      .join('\n')
      .replace('TWINKEY=http://localhost:8080', `TWINKEY=${service.url}`)
      .replace(/^read -rsp .*$/m, `PASSWORD=${password}`)
      // Each answer on a line of its own.
      .replaceAll('curl -sS', 'echo; curl -sS')
    const { stdout } = await promisify(execFile)('bash', ['-c', script], { cwd: folder })
    const answers = stdout.split('\n').filter((line) => line !== '')
    const [minted, issued, me, refreshed, checked, revoked, refused] = answers.map((line) =>
      JSON.parse(line),
    )
    t.is(minted.row.name, 'Backup script')
    t.is(issued.data.user.api_key, minted.row.api_key)
    t.is(me.slug, 'admin')
    t.truthy(refreshed.access_token)
    t.is(checked.code, 'rest_authentication_valid_access_token')
    t.is(revoked, true)
    t.is(refused.code, 'rest_authentication_revoked_api_key')
    t.is(answers.length, 7)
  } finally {
    await service.stop()
    rmSync(folder, { recursive: true })
  }
})

test('every file that the documentation links to exists', (t) => {
  const links = [...readme.matchAll(/\]\((?!https?:)([^)#]+)/g)].map((match) => match[1] ?? '')
  t.true(links.length > 5)
  for (const link of links) t.notThrows(() => readFileSync(new URL(`../${link}`, import.meta.url)))
})
