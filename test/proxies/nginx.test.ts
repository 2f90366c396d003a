import { findBinary } from '../helpers/binaries.js'
import { testProxy } from './behind-proxy.js'

testProxy({
  name: 'nginx',
  binary: findBinary('nginx'),
  files: ['nginx-forward-auth/nginx.conf'],
  adapt: (config, folder) => `${ownFiles(folder)}\n${config.replace('http {', httpFiles(folder))}`,
  args: (config, folder) => ['-p', folder, '-c', config, '-e', 'stderr'],
})

/** Its own files lie, by default, where only root may write. */
function ownFiles(folder: string): string {
  // Root's workers would be somebody who may not enter the folder.
  const user = process.getuid?.() === 0 ? 'user root;' : ''
  return `${user} daemon off; pid ${folder}/pid; error_log stderr;`
}

function httpFiles(folder: string): string {
  const kinds = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const paths = kinds.map((kind) => `${kind}_temp_path ${folder}/${kind};`)
  return `http { access_log off; ${paths.join(' ')}`
}
