import { onEachDatabase } from '../helpers/with-service.js'
import { cliBeside } from './run-cli.js'

onEachDatabase('nodes are listed, with their last signs of life', async (t, service) => {
  const cli = cliBeside(service)
  const none = await cli('nodes')
  t.deepEqual([none.code, none.stdout], [0, 'No node is registered.\n'])
  const node = { id: 'AAAABBBBCCCCDDDD', name: 'db1:8080', version: '1.2.3', readMicros: 412 }
  await service.runtime.stores.nodes.beat(node)
  const listed = await cli('nodes', '--json')
  t.is(listed.code, 0, listed.stderr)
  const [{ started_at, heartbeat_age_ms, ...rest }] = listed.json()
  t.deepEqual(rest, { id: node.id, name: node.name, version: '1.2.3', state_read_ms: 0.412 })
  t.regex(started_at, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/)
  t.true(Number.isInteger(heartbeat_age_ms) && heartbeat_age_ms >= 0)
  const shown = await cli('nodes')
  t.regex(shown.stdout, /^NODE +ID +VERSION +STARTED +HEARTBEAT +STATE READ\n/)
  t.regex(shown.stdout, /db1:8080 +AAAABBBBCCCCDDDD +1\.2\.3 .* s ago +0\.4 ms\n$/)
})
