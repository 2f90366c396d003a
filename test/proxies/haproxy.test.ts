import { findBinary } from '../helpers/binaries.js'
import { testProxy } from './behind-proxy.js'

testProxy({
  name: 'HAProxy',
  binary: findBinary('haproxy'),
  files: ['haproxy/haproxy.cfg', 'haproxy/forward-auth.lua'],
  args: (config) => ['-db', '-f', config],
})
