/**
 * Gives this process a temporary folder of its own, so that a test can count what it leaves there.
 * Imported before anything that asks for the folder's name while it is loaded, as formidable does.
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export const ownTmpdir = mkdtempSync(join(tmpdir(), 'twinkey-uploads-'))
process.env.TMPDIR = ownTmpdir
