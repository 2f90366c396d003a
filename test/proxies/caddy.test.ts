import { findBinary } from '../helpers/binaries.js'
import { testProxy } from './behind-proxy.js'

testProxy({
  name: 'Caddy',
  binary: findBinary('caddy'),
  files: ['caddy/Caddyfile'],
  args: (config) => ['run', '--config', config, '--adapter', 'caddyfile'],
})
