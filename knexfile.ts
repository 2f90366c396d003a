// For the knex command line (`npm run knex -- migrate:status`), with the service's own configuration.
import { loadConfig, readEnvironment } from './src/config.js'
import { openDatabase } from './src/store/open.js'

const { database } = loadConfig(readEnvironment(process.env))
const { warn, error, debug } = console

export default openDatabase(database, { warn, error, debug }).client.config
