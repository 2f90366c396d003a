import { invalidParameters, ServiceError } from '../../errors.js'
import type { ClientSecret } from '../../services/tokens.js'
import type { ClientParams } from './params.js'

const basicPattern = /^basic +([\w+/-]+=*)$/i

/**
 * How a client proves itself (RFC 6749, section 2.3.1): by HTTP Basic, or in the body, never both. A
 * key-pair's own names for the two, `api_key` and `api_secret`, are understood in the body as well.
 *
 * @param authorization The value of the header. Schemes but Basic are somebody else's business.
 * @throws {ServiceError} whose word in OAuth is `invalid_client` or `invalid_request`.
 */
export function readClientSecret(
  authorization: string | undefined,
  params: ClientParams,
): ClientSecret {
  const id = either(params, 'client_id', 'api_key')
  const secret = either(params, 'client_secret', 'api_secret')
  if (!/^basic(?: |$)/i.test(authorization ?? '')) {
    if (!id || !secret) throw new ServiceError('rest_authentication_required_api_key_secret')
    return { apiKey: id, apiSecret: secret }
  }
  if (secret) throw invalidParameters({ client_secret: 'must not be sent beside HTTP Basic' })
  const client = decodeBasic(authorization ?? '')
  if (!client) throw new ServiceError('rest_authentication_invalid_api_key_secret')
  if (id && id !== client.apiKey) {
    throw invalidParameters({ client_id: 'must be that of HTTP Basic' })
  }
  return client
}

function either(
  params: ClientParams,
  name: 'client_id' | 'client_secret',
  synonym: 'api_key' | 'api_secret',
): string | undefined {
  if (params[name] && params[synonym]) {
    throw invalidParameters({ [synonym]: `must not be sent beside ${name}` })
  }
  return params[name] ?? params[synonym]
}

function decodeBasic(authorization: string): ClientSecret | undefined {
  const [, encoded] = basicPattern.exec(authorization) ?? []
  const [, id, secret] =
    /^([^:]+):(.+)$/s.exec(Buffer.from(encoded ?? '', 'base64').toString()) ?? []
  if (!id || !secret) return undefined
  try {
    return { apiKey: decodeComponent(id), apiSecret: decodeComponent(secret) }
  } catch {
    // A percent sign that encodes nothing: no key-pair has one.
    return undefined
  }
}

/** Both halves are form-encoded before they are joined. @throws {URIError} */
function decodeComponent(text: string): string {
  return decodeURIComponent(text.replaceAll('+', ' '))
}
