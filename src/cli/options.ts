import type { Command } from 'commander'
import { json } from './text.js'

export interface JsonOption {
  json?: boolean
}

export function addJsonOption(command: Command): Command {
  return command.option('--json', 'print one JSON document instead of text')
}

/** Prints what a command found or did: for programs, or for people. */
export function print(options: JsonOption, data: unknown, text: string): void {
  process.stdout.write(options.json ? json(data) : text)
}
