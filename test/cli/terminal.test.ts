import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { stripVTControlCharacters } from 'node:util'
import test from 'ava'
import { findBinary } from '../helpers/binaries.js'
import { dialects } from '../helpers/dialects.js'
import { jwtSecret, type Service, startService } from '../helpers/with-service.js'

// util-linux's: it gives the command a terminal and passes its exit code on.
const script = process.platform === 'linux' ? findBinary('script') : undefined
const register = script ? test : test.skip
const root = fileURLToPath(new URL('../..', import.meta.url))

/** What somebody waits for on the screen, and then types. */
type Dialogue = readonly (readonly [shown: string, typed: string])[]

interface Screen {
  code: number | null
  /** Everything on the screen, without the sequences that move the cursor. */
  text: string
}

/** Runs the command at a terminal, with somebody who answers. */
function converse(service: Service, args: string, dialogue: Dialogue): Promise<Screen> {
  const command = `'${process.execPath}' --import '${import.meta.resolve('tsx')}' '${join(root, 'src/cli/index.ts')}' ${args}`
  const child = spawn(script ?? '', ['-qec', command, '/dev/null'], {
    env: {
      PATH: process.env.PATH,
      TERM: 'xterm',
      TSX_TSCONFIG_PATH: join(root, 'tsconfig.json'),
      DATABASE_URL: service.databaseUrl,
      JWT_SECRET: jwtSecret,
      PUBLIC_URL: service.url,
    },
  })
  const remaining = [...dialogue]
  let screen = ''
  let searchFrom = 0
  child.stdout.on('data', (chunk: Buffer) => {
    screen += chunk
    for (;;) {
      const [next] = remaining
      const at = next ? plain(screen).indexOf(next[0], searchFrom) : -1
      if (!next || at === -1) return
      searchFrom = at + next[0].length
      remaining.shift()
      child.stdin.write(next[1])
    }
  })
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => resolve({ code, text: plain(screen) }))
  })
}

const plain = stripVTControlCharacters

function atTerminal(title: string, work: (t: any, service: Service) => Promise<void>): void {
  register(title, async (t) => {
    const [sqlite] = dialects
    if (!sqlite) throw new Error('There is no SQLite')
    const service = await startService(sqlite)
    try {
      await work(t, service)
    } finally {
      await service.close()
    }
  })
}

atTerminal('a password is asked for twice, and never shown', async (t, service) => {
  const { code, text } = await converse(service, 'user create ada --email ada@example.org', [
    ['Password:', 'tiny\r'],
    ['must have at least 8 characters', '\x15correct horse\r'],
    ['again:', 'correct house\r'],
    ['That is not the password', '\x15correct horse\r'],
  ])
  t.is(code, 0, text)
  t.regex(text, /User ada \(subscriber, id 1\) was created\.\r\n$/)
  t.notRegex(text, /horse|house/)
  t.is((await service.logIn('ada', 'correct horse')).user.login, 'ada')

  const piped = await converse(service, 'user password ada --password-stdin', [])
  t.is(piped.code, 2)
  t.regex(piped.text, /Leave it out to be asked/)
})

atTerminal('a secret and a token are asked for', async (t, service) => {
  const pair = await service.mint((await service.createUser('ada')).id)
  const issued = await converse(service, `token issue ${pair.api_key} --json`, [
    ['API secret:', `${pair.api_secret}\r`],
  ])
  t.is(issued.code, 0, issued.text)
  t.false(issued.text.includes(pair.api_secret))
  const { access_token } = JSON.parse(issued.text.slice(issued.text.lastIndexOf('{"access_token"')))
  const inspected = await converse(service, 'token inspect', [['Token:', `${access_token}\r`]])
  t.is(inspected.code, 0, inspected.text)
  t.regex(inspected.text, /Good: it would be accepted\./)
})

atTerminal('deleting asks, and whoever hesitates has deleted nothing', async (t, service) => {
  await service.createUser('ada')
  const deletion = 'user delete ada'
  const question = 'Delete ada (ada@sample.org) with no key-pairs? This cannot be undone.'
  const no = await converse(service, deletion, [[question, '\r']])
  t.is(no.code, 1)
  t.regex(no.text, /twinkey: Nothing was deleted\.\r\n$/)
  const interrupted = await converse(service, deletion, [[question, '\x03']])
  t.is(interrupted.code, 130)
  t.regex(interrupted.text, /twinkey: Interrupted; nothing was changed\.\r\n$/)
  t.is((await service.runtime.services.users.findByLogin('ada')).login, 'ada')
  t.is((await converse(service, deletion, [[question, 'y\r']])).code, 0)
  await t.throwsAsync(service.runtime.services.users.findByLogin('ada'))
})
