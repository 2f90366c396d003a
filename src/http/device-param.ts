import { maxDeviceNameLength } from '../domain/device.js'
import { textProblem } from '../domain/text.js'
import { text } from './params.js'

const form = `must be 1 to ${maxDeviceNameLength} characters`

/** Names are kept as sent, and compared byte for byte. */
export const deviceName = text.refine(
  (value) => value !== '' && textProblem(value, maxDeviceNameLength) === undefined,
  { error: form },
)

export const deviceHint =
  'One installation of the application, as it calls itself. Its refresh tokens rotate.'
