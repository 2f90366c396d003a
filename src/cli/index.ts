#!/usr/bin/env node
import { Command } from 'commander'
import { loadConfig, readEnvironment } from '../config.js'
import { migrate } from '../store/migrate.js'
import { openDatabase } from '../store/open.js'
import { createLogger } from './logger.js'
import { serve } from './serve.js'

const program = new Command('twinkey')
program.command('serve').action(async () => {
  const config = loadConfig(readEnvironment(process.env))
  const logger = createLogger(config.logLevel)
  const running = await serve(config, logger)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      void running.stop().then(() => process.exit(0))
    })
  }
})
program.command('migrate').action(async () => {
  const config = loadConfig(readEnvironment(process.env))
  const logger = createLogger(config.logLevel)
  const db = openDatabase(config.database, {
    warn: (message) => logger.warn({}, message),
    error: (message) => logger.error({}, message),
    debug: (message) => logger.debug({}, message),
  })
  try {
    console.log(await migrate(db))
  } finally {
    await db.destroy()
  }
})
await program.parseAsync()
