import { z } from 'zod'
import { text } from '../params.js'

/** A parameter without a value counts as omitted (RFC 6749, section 3.2). Repeated, it is a list. */
export const optional = text.optional().transform((value) => value || undefined)

/** How clients prove themselves in the body of a request, at every endpoint of OAuth. */
export const clientArgs = z.object({
  client_id: optional,
  client_secret: optional,
  api_key: optional,
  api_secret: optional,
})

export type ClientParams = z.infer<typeof clientArgs>
