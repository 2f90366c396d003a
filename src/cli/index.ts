#!/usr/bin/env node
import { reportFailure } from './failures.js'
import { createProgram } from './program.js'

// `twinkey key list ada | head -1` closes our output early; that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code !== 'EPIPE') throw error
  process.exit()
})

try {
  await createProgram().parseAsync()
} catch (error) {
  process.exitCode = reportFailure(error)
}
