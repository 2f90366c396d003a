import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import test from 'ava'
import { decodeProtectedHeader } from 'jose'
import { onEachDatabaseAlone } from '../helpers/with-nodes.js'
import { bearer } from '../helpers/with-service.js'
import { cliBeside, runCli } from './run-cli.js'

onEachDatabaseAlone(
  'what the command line does to keys, a running server follows within seconds',
  async (t, service) => {
    const cli = cliBeside(service)
    const user = await service.createUser('ada')
    const pair = await service.mint(user.id)
    const algorithm = async () => {
      const { access_token } = await service.exchange(pair)
      return { access_token, ...decodeProtectedHeader(access_token) }
    }
    const reaches = async (condition: () => Promise<boolean>) => {
      const deadline = Date.now() + 30_000
      while (!(await condition())) {
        if (Date.now() > deadline) return false
        await delay(100)
      }
      return true
    }
    t.deepEqual((await cli('keys', 'list', '--json')).json(), {
      signing_algorithm: 'HS256',
      keys: [],
    })
    const next = (await cli('keys', 'generate', '--json')).json()
    t.like(next, { alg: 'ES256', state: 'next', activated_at: null })
    t.true(
      await reaches(async () => {
        const { body } = await service.json('/.well-known/jwks.json')
        return body.keys[0]?.kid === next.kid
      }),
    )
    t.is((await algorithm()).alg, 'HS256')
    const rotated = await cli('keys', 'rotate')
    t.regex(rotated.stdout, new RegExp(`signed with key ${next.kid} \\(ES256\\) from `))
    t.true(await reaches(async () => (await algorithm()).kid === next.kid))
    const { access_token } = await algorithm()

    const early = await cli('keys', 'retire', next.kid)
    t.is(early.code, 1, `not while it signs: ${early.stdout} ${early.stderr}`)
    const back = (await cli('keys', 'rotate', '--alg', 'HS256', '--json')).json()
    t.is(back.current, null)
    t.is(back.previous.kid, next.kid)
    t.true(await reaches(async () => (await algorithm()).alg === 'HS256'))
    const validate = () => service.json('/wp/v2/token/validate', { headers: bearer(access_token) })
    t.is((await validate()).status, 200)
    t.regex((await cli('keys', 'list')).stdout, /previous/)
    t.is((await cli('keys', 'retire', next.kid, '--json')).json().state, 'retired')
    t.true(await reaches(async () => (await validate()).status === 403))
  },
)

test('a private key is encrypted with one of its own, which its owner only can read', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-keys-'))
  try {
    const { kid } = (await runCli(['keys', 'rotate', '--json'], { folder })).json().current
    const path = join(folder, 'key-encryption-key')
    t.is(statSync(path).mode & 0o777, 0o600)
    t.regex(readFileSync(path, 'utf8'), /^[\w+/]{43}=\n$/)
    rmSync(path)
    const other = { KEY_ENCRYPTION_KEY: 'ab'.repeat(32) }
    for (const env of [{}, other]) {
      const { code, stderr } = await runCli(['serve'], { folder, env: { PORT: '0', ...env } })
      t.is(code, 1)
      t.true(stderr.includes(`twinkey: The private key of ${kid}`), stderr)
    }
    const remedy = await runCli(['keys', 'rotate', '--alg', 'HS256'], { folder, env: other })
    t.is(remedy.code, 0, remedy.stderr)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})

test('an algorithm that is none is wrong usage', async (t) => {
  for (const args of [
    ['keys', 'rotate', '--alg', 'none'],
    ['keys', 'generate', '--alg', 'HS256'],
    ['keys', 'retire'],
  ]) {
    t.is((await runCli(args)).code, 2, args.join(' '))
  }
})
