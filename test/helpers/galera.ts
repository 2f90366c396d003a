import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as delay } from 'node:timers/promises'
import mysql, { type RowDataPacket } from 'mysql2/promise'
import { findBinary } from './binaries.js'
import { freePort, mariadbBinary } from './mariadb-server.js'

/** One server of a cluster. */
export interface GaleraNode {
  host: '127.0.0.1'
  port: number
  /** Without a database. */
  url: string
  signal(signal: NodeJS.Signals): void
  /** Starts it again after it was killed, and waits until it is in step with the others. */
  start(): Promise<void>
  /** Sends it a statement on a connection of its own. */
  query(sql: string): Promise<RowDataPacket[]>
  /** Waits until it is in step with a majority of the cluster. */
  untilSynced(): Promise<void>
}

export interface GaleraCluster {
  nodes: [GaleraNode, GaleraNode, GaleraNode]
  /** For DATABASE_URL: all nodes, that of the given number first. */
  url(database: string, first?: number): string
  createDatabase(name: string): Promise<void>
  remove(): Promise<void>
}

const library = ['/usr/lib/galera/libgalera_smm.so', '/usr/lib64/galera-4/libgalera_smm.so'].find(
  (path) => existsSync(path),
)

/** What a cluster needs and this machine has; `undefined` where something is missing. */
export const galeraLibrary = mariadbBinary && findBinary('rsync') ? library : undefined

/** A group is formed anew in about a second after a node has gone; by default it takes seven. */
const provider = [
  'gcache.size=32M',
  'evs.keepalive_period=PT0.2S',
  'evs.inactive_check_period=PT0.1S',
  'evs.suspect_timeout=PT1S',
  'evs.inactive_timeout=PT2S',
  'evs.install_timeout=PT2S',
  'evs.join_retrans_period=PT0.2S',
  'gmcast.peer_timeout=PT1S',
]

const user = 'twinkey'

/** Starts three MariaDB servers on the loopback address that are one Galera cluster. */
export async function startGalera(): Promise<GaleraCluster> {
  if (!mariadbBinary || !galeraLibrary) throw new Error('galera-4 is not installed')
  const folder = mkdtempSync(join(tmpdir(), 'twinkey-galera-'))
  const asUser = process.getuid?.() === 0 ? ['--user=mysql'] : []
  const own = () => asUser.length > 0 && execFileSync('chown', ['-R', 'mysql:', folder])
  const ports = await freePorts(12)
  const members = [0, 1, 2].map((index) => {
    const [port = 0, base = 0, transfer = 0, state = 0] = ports.slice(index * 4)
    return { index, port, base, transfer, state, folder: join(folder, `node${index + 1}`) }
  })
  const address = `gcomm://${members.map(({ base }) => `127.0.0.1:${base}`).join(',')}`
  const children = new Set<ChildProcess>()
  const killAll = () => {
    for (const child of children) child.kill('SIGKILL')
  }
  process.once('exit', killAll)

  const template = join(folder, 'template')
  mkdirSync(template)
  own()
  execFileSync(
    findBinary('mariadb-install-db', 'mysql_install_db') ?? 'mariadb-install-db',
    [
      '--no-defaults',
      ...asUser,
      `--datadir=${template}`,
      '--skip-test-db',
      '--auth-root-authentication-method=normal',
    ],
    { stdio: 'pipe' },
  )
  writeFileSync(
    join(folder, 'init.sql'),
    `create user if not exists '${user}'@'%' identified by '${user}';\ngrant all on *.* to '${user}'@'%' with grant option;\n`,
  )
  for (const member of members) mkdirSync(member.folder)
  // The first brings the data; the others fetch them from it.
  cpSync(template, join(members[0]?.folder ?? '', 'data'), { recursive: true })
  for (const member of members.slice(1)) mkdirSync(join(member.folder, 'data'))
  own()

  function run(member: (typeof members)[number], extra: readonly string[] = []): ChildProcess {
    const { base, transfer, state, port } = member
    const options = [
      `base_host=127.0.0.1;base_port=${base}`,
      `gmcast.listen_addr=tcp://127.0.0.1:${base}`,
      `ist.recv_addr=127.0.0.1:${transfer}`,
      ...provider,
    ]
    const child = spawn(
      mariadbBinary as string,
      [
        '--no-defaults',
        ...asUser,
        `--datadir=${join(member.folder, 'data')}`,
        `--socket=${join(member.folder, 'socket')}`,
        `--pid-file=${join(member.folder, 'pid')}`,
        `--log-error=${join(member.folder, 'error.log')}`,
        `--tmpdir=${member.folder}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        '--skip-name-resolve',
        '--binlog-format=ROW',
        '--innodb-autoinc-lock-mode=2',
        '--innodb-flush-log-at-trx-commit=2',
        '--innodb-buffer-pool-size=32M',
        '--wsrep-on=ON',
        `--wsrep-provider=${galeraLibrary}`,
        `--wsrep-provider-options=${options.join(';')}`,
        `--wsrep-cluster-name=${folder.slice(-6)}`,
        `--wsrep-cluster-address=${address}`,
        '--wsrep-node-address=127.0.0.1',
        `--wsrep-node-name=node${member.index + 1}`,
        '--wsrep-sst-method=rsync',
        `--wsrep-sst-receive-address=127.0.0.1:${state}`,
        ...extra,
      ],
      { stdio: 'ignore' },
    )
    children.add(child)
    child.once('exit', () => children.delete(child))
    return child
  }

  const running: (ChildProcess | undefined)[] = []
  const nodes = members.map((member): GaleraNode => {
    const url = `mysql://${user}:${user}@127.0.0.1:${member.port}/`
    const node: GaleraNode = {
      host: '127.0.0.1',
      port: member.port,
      url,
      signal: (signal) => void running[member.index]?.kill(signal),
      async query(sql) {
        const connection = await mysql.createConnection(url)
        try {
          const [rows] = await connection.query<RowDataPacket[]>(sql)
          return rows
        } finally {
          connection.destroy()
        }
      },
      async start() {
        running[member.index] = run(member)
        await node.untilSynced()
      },
      async untilSynced() {
        for (let attempt = 0; attempt < 1200; attempt++) {
          if (await isSynced(node)) return
          const child = running[member.index]
          if (child && (child.exitCode !== null || child.signalCode !== null)) break
          await delay(50)
        }
        const log = readFileSync(join(member.folder, 'error.log'), 'utf8')
        throw new Error(`A Galera node did not start:\n${log.slice(-4000)}`)
      },
    }
    return node
  }) as GaleraCluster['nodes']

  try {
    const [first, ...others] = members
    if (!first) throw new Error('There are no nodes')
    running[0] = run(first, ['--wsrep-new-cluster', `--init-file=${join(folder, 'init.sql')}`])
    await nodes[0].untilSynced()
    for (const { index } of others) await nodes[index]?.start()
  } catch (error) {
    killAll()
    rmSync(folder, { recursive: true, force: true })
    throw error
  }

  return {
    nodes,
    url(database, first = 0) {
      const inOrder = [...nodes.slice(first), ...nodes.slice(0, first)]
      const hosts = inOrder.map(({ host, port }) => `${host}:${port}`).join(',')
      return `mysql://${user}:${user}@${hosts}/${database}`
    },
    async createDatabase(name) {
      await nodes[0].query(`create database ${name}`)
    },
    async remove() {
      const ended = [...children].map(
        (child) => new Promise((resolve) => child.once('exit', resolve)),
      )
      killAll()
      await Promise.all(ended)
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

async function isSynced(node: GaleraNode): Promise<boolean> {
  try {
    const rows = await node.query(
      "show status where variable_name in ('wsrep_ready', 'wsrep_local_state', 'wsrep_cluster_status')",
    )
    const status = Object.fromEntries(
      rows.map(({ Variable_name, Value }) => [Variable_name, Value]),
    )
    return (
      status.wsrep_ready === 'ON' &&
      status.wsrep_local_state === '4' &&
      status.wsrep_cluster_status === 'Primary'
    )
  } catch {
    // Not listening yet, or not ready to be asked.
    return false
  }
}

async function freePorts(count: number): Promise<number[]> {
  const found = new Set<number>()
  while (found.size < count) found.add(await freePort())
  return [...found]
}
