import { z } from 'zod'
import { text } from '../params.js'

/** A parameter without a value counts as omitted (RFC 6749, section 3.2). Repeated, it is a list. */
export const optional = text.optional().transform((value) => value || undefined)

/** How clients prove themselves in the body of a request, at every endpoint of OAuth. */
export const clientArgs = z.object({
  client_id: optional.describe('The API key, unless the client proves itself by HTTP Basic.'),
  client_secret: optional.describe('The API secret of the same key-pair.'),
  api_key: optional.describe('Another name of `client_id`.'),
  api_secret: optional.describe('Another name of `client_secret`.'),
})

export type ClientParams = z.infer<typeof clientArgs>
