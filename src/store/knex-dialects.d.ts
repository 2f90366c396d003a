// knex documents extending a dialect's client, but ships no types for the dialects.
declare module 'knex/lib/dialects/better-sqlite3/index.js' {
  import { Knex } from 'knex'
  export default class BetterSqlite3Client extends Knex.Client {
    _query(connection: unknown, statement: { sql: string; bindings?: unknown[] }): Promise<unknown>
  }
}

declare module 'knex/lib/dialects/mysql2/index.js' {
  import { Knex } from 'knex'
  export default class Mysql2Client extends Knex.Client {
    _query(connection: unknown, statement: { sql: string }): Promise<unknown>
  }
}
