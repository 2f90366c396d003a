import { Command } from 'commander'
import type { Finding } from '../doctor/finding.js'
import { readConfig } from '../context.js'
import { exitCodes } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { count } from '../text.js'

interface DoctorOptions extends JsonOption {
  offline?: boolean
}

export function doctorCommand(): Command {
  return addJsonOption(new Command('doctor'))
    .summary('check an installation and say how to mend it')
    .description(
      'Checks configuration, files, database and what clients reach, and prints each fix.',
    )
    .option('--offline', 'ask nothing at PUBLIC_URL: for a service that does not run yet')
    .addHelpText('after', help)
    .action(run)
}

const help = `
Run it where the service runs, with the same environment and as the same user. It asks PUBLIC_URL
the way clients do, through whatever proxy stands in front, with a made-up token. It changes
nothing.

Exit code 1 if a check fails; warnings alone are 0.

Examples:
  $ twinkey doctor
  $ twinkey doctor --json | jq -r '.checks[] | select(.status == "fail") | .fix'

With --json: {"ok":true,"checks":[{"check":"authorization","status":"ok","message":"…"}]}`

async function run(options: DoctorOptions): Promise<void> {
  const config = await readConfig('info')
  const [{ readEnvironment }, local, { checkFromOutside }] = await Promise.all([
    import('../../config.js'),
    import('../doctor/local.js'),
    import('../doctor/remote.js'),
  ])
  const checks = [
    ...(options.offline ? [] : await checkFromOutside(config)),
    ...(await local.checkDatabase(config)),
    ...local.checkSecretFiles(config, readEnvironment(process.env)),
    ...local.checkSettings(config),
  ]
  const failed = checks.filter(({ status }) => status === 'fail').length
  const warned = checks.filter(({ status }) => status === 'warn').length
  const summary =
    failed + warned === 0
      ? 'All is well.'
      : `${count(failed, 'failure')}, ${count(warned, 'warning')}.`
  print(options, { ok: failed === 0, checks }, `${checks.map(describe).join('')}\n${summary}\n`)
  if (failed > 0) process.exitCode = exitCodes.failed
}

const marks = { ok: ' ok ', warn: 'warn', fail: 'FAIL' }

function describe({ check, status, message, fix }: Finding): string {
  const line = `${marks[status]}  ${check.padEnd(14)}  ${message}\n`
  if (fix === undefined) return line
  return (
    line +
    fix
      .split('\n')
      .map((text) => `${' '.repeat(22)}${text}\n`)
      .join('')
  )
}
