import { Command } from 'commander'
import { operator } from '../../domain/actor.js'
import type { Device } from '../../domain/device.js'
import { withRuntime } from '../context.js'
import { CliError, exitCodes } from '../failures.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { isoTime, table, time, visible } from '../text.js'

export function deviceCommand(): Command {
  const device = new Command('device')
    .summary('list and sign out devices of key-pairs')
    .description('Lists the devices of a key-pair, and signs them out one by one.')

  addJsonOption(device.command('list'))
    .summary('list the devices of a key-pair')
    .description('Lists the devices of a key-pair, last used first.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .action(list)
    .addHelpText(
      'after',
      `
A device is one installation of an application that has named itself when it exchanged the
key-pair. REUSED is where a refresh token came from that had been replaced, and was used again.

Example:
  $ twinkey device list ada API_KEY`,
    )

  addJsonOption(device.command('sign-out'))
    .summary('sign out a device')
    .description('Ends the tokens of one device of a key-pair, and of no other.')
    .argument('<LOGIN>')
    .argument('<API_KEY>', 'the public half, as `key list` shows it')
    .argument('<ID>', 'the number of the device, as `device list` shows it')
    .action(signOut)
    .addHelpText(
      'after',
      `
Takes effect with the next request. Whoever has the secret can exchange the pair anew.

Example:
  $ twinkey device sign-out ada API_KEY 7

With --json: {"signed_out":true}, or false if it had been signed out before.`,
    )
  return device
}

function list(login: string, apiKey: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    const user = await services.users.findByLogin(login)
    const devices = await services.devices.list(operator, user.id, apiKey)
    const rows = devices.map((device) => [
      String(device.id),
      device.name || '—',
      time(device.createdAt),
      time(device.lastUsedAt),
      device.lastIp ?? '—',
      device.userAgent ?? '—',
      device.endedAt === null ? '—' : time(device.endedAt),
      device.incident ? `${time(device.incident.at)} ${device.incident.ip ?? ''}`.trim() : '—',
    ])
    const headings = ['ID', 'NAME', 'FIRST USED', 'LAST USED', 'LAST IP', 'CLIENT', 'SIGNED OUT']
    print(
      options,
      { devices: devices.map(deviceData) },
      rows.length === 0 ? `${apiKey} has no devices.\n` : table([...headings, 'REUSED'], rows),
    )
  })
}

function signOut(login: string, apiKey: string, id: string, options: JsonOption): Promise<void> {
  return withRuntime(async ({ services }) => {
    if (!/^\d{1,15}$/.test(id)) {
      throw new CliError(
        'The ID of a device is a number, as `device list` shows it.',
        exitCodes.usage,
      )
    }
    const user = await services.users.findByLogin(login)
    const wasSignedIn = await services.devices.signOut(operator, user.id, apiKey, Number(id))
    const devices = await services.devices.list(operator, user.id, apiKey)
    const name = visible(devices.find((device) => device.id === Number(id))?.name ?? id)
    const text = wasSignedIn
      ? `Device "${name}" is signed out, with all of its tokens.\n`
      : `Device "${name}" had been signed out before.\n`
    print(options, { signed_out: wasSignedIn }, text)
  })
}

function deviceData(device: Device) {
  const { incident } = device
  const iso = (seconds: number | null) => (seconds === null ? null : isoTime(seconds))
  return {
    id: device.id,
    name: device.name,
    created_at: iso(device.createdAt),
    last_used_at: iso(device.lastUsedAt),
    last_ip: device.lastIp,
    user_agent: device.userAgent,
    expires_at: iso(device.expiresAt),
    signed_out_at: iso(device.endedAt),
    reason: device.endedReason,
    incident: incident && {
      at: iso(incident.at),
      ip: incident.ip,
      issued_ip: incident.issuedIp,
    },
  }
}
