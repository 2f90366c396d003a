import { Command } from 'commander'
import { milliseconds, type ServingNode } from '../../domain/node.js'
import { withRuntime } from '../context.js'
import { addJsonOption, type JsonOption, print } from '../options.js'
import { isoTime, table, time } from '../text.js'

export function nodesCommand(): Command {
  return addJsonOption(new Command('nodes'))
    .summary('list the processes that serve on this database')
    .description(
      'Lists the processes that serve on this database, with their last signs of life and how long each then took to read the state of a key.',
    )
    .addHelpText('after', help)
    .action(list)
}

const help = `
A node gives a sign of life every two seconds, by the clock of the database, and is listed for
a minute after its last one; one that is stopped signs off. A single process on an embedded
database is no node: there is nothing it would have to agree on with others.

Example:
  $ twinkey nodes

With --json: [{"id":"…","name":"…","version":"…","started_at":"…","heartbeat_age_ms":…,
"state_read_ms":…}, …]; both times are as of the last sign of life.`

async function list(options: JsonOption): Promise<void> {
  const nodes = await withRuntime(({ services }) => services.nodes.list())
  print(options, nodes.map(present), nodes.length === 0 ? 'No node is registered.\n' : rows(nodes))
}

function present({ id, name, version, startedAt, silentMs, readMicros }: ServingNode) {
  return {
    id,
    name,
    version,
    started_at: isoTime(startedAt),
    heartbeat_age_ms: silentMs,
    state_read_ms: readMicros / 1000,
  }
}

function rows(nodes: readonly ServingNode[]): string {
  return table(
    ['NODE', 'ID', 'VERSION', 'STARTED', 'HEARTBEAT', 'STATE READ'],
    nodes.map(({ id, name, version, startedAt, silentMs, readMicros }) => [
      name,
      id,
      version,
      time(startedAt),
      `${(silentMs / 1000).toFixed(1)} s ago`,
      milliseconds(readMicros),
    ]),
  )
}
