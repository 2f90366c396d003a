import type { Config } from '../../config.js'
import { failure, type Finding, ok, reasonOf, warning } from './finding.js'

type RemoteConfig = Pick<Config, 'publicUrl' | 'trustProxy' | 'corsOrigins' | 'port'>

const timeoutMs = 10_000
/** Beyond this tokens of one machine may be refused by another as not yet valid. */
const tolerableSkew = 2
const ruinousSkew = 30

const forwardAuthorization = `The proxy in front of it does not hand on the Authorization header.
nginx, in the location that has proxy_pass:
    proxy_set_header Authorization $http_authorization;
Apache, in the virtual host (and no AuthType for this location):
    SetEnvIf Authorization "(.+)" AUTH=$1
    RequestHeader set Authorization "%{AUTH}e" env=AUTH
Caddy, in reverse_proxy (it does so by itself, unless header_up removes it):
    header_up Authorization {http.request.header.Authorization}`

const setForwardedFor = `Set TRUST_PROXY to the number of proxies in front, each of which must add to X-Forwarded-For.
nginx:
    proxy_set_header X-Forwarded-For $proxy_add_x_forwarded_for;
    proxy_set_header Host $host;
Apache's mod_proxy_http and Caddy's reverse_proxy do so by themselves.`

/** Asks the service itself, the way its clients do: through whatever stands in front of it. */
export async function checkFromOutside(config: RemoteConfig): Promise<Finding[]> {
  const { publicUrl } = config
  const url = `${publicUrl}/wp-json/wp/v2/token/validate`
  let response: Response
  try {
    response = await get(url, { headers: { Authorization: 'Bearer made.up.by-twinkey-doctor' } })
  } catch (error) {
    return [
      failure(
        'reach',
        `${publicUrl} cannot be reached: ${reasonOf(error)}.`,
        'Start the service (twinkey serve), or set PUBLIC_URL to the address that clients use.',
      ),
    ]
  }
  const found = [await checkAnswer(response, publicUrl), checkClock(response)]
  if (found[0]?.status === 'fail' && found[0].check === 'reach') return found.slice(0, 1)
  found.push(await checkIssuer(publicUrl), checkProxy(config, response))
  found.push(...(await checkCors(config, url)))
  return found
}

function get(url: string, init: RequestInit = {}): Promise<Response> {
  return fetch(url, { redirect: 'manual', signal: AbortSignal.timeout(timeoutMs), ...init })
}

async function checkAnswer(response: Response, publicUrl: string): Promise<Finding> {
  const location = response.headers.get('Location')
  if (location !== null) {
    return failure(
      'reach',
      `${publicUrl} sends clients elsewhere: ${location}`,
      'Set PUBLIC_URL to where they end up, e.g. with https: and without www. Redirects drop POST and credentials.',
    )
  }
  const code = await codeOf(response)
  if (code === 'rest_authentication_token_error') {
    return ok('authorization', 'The Authorization header arrives.')
  }
  if (response.status === 503) {
    return failure('reach', `${publicUrl} answers 503.`, 'See the checks of the database below.')
  }
  if (code?.startsWith('rest_')) {
    return failure(
      'authorization',
      `A bearer token does not arrive: the answer was ${code}.`,
      forwardAuthorization,
    )
  }
  return failure(
    'reach',
    `${publicUrl} is not Twinkey: it answers ${response.status} without a code of ours.`,
    'Let PUBLIC_URL name the address of the service, and the proxy hand on the whole path.',
  )
}

async function codeOf(response: Response): Promise<string | undefined> {
  try {
    const body = (await response.json()) as { code?: unknown }
    return typeof body.code === 'string' ? body.code : undefined
  } catch {
    // Somebody else's page.
    return undefined
  }
}

function checkClock(response: Response): Finding {
  const date = Date.parse(response.headers.get('Date') ?? '')
  if (Number.isNaN(date)) return ok('clock', 'The answer has no date to compare with.')
  return judgeClock('clock', 'the service', (Date.now() - date) / 1000)
}

/** @param seconds By how much this machine is ahead. */
export function judgeClock(check: string, what: string, seconds: number): Finding {
  const skew = Math.abs(seconds)
  // A Date header has whole seconds.
  if (skew <= tolerableSkew) return ok(check, `The clocks of this machine and ${what} agree.`)
  const message = `The clock of this machine is ${skew.toFixed(0)} s ${seconds > 0 ? 'ahead of' : 'behind'} that of ${what}.`
  const fix = 'Synchronise both: timedatectl set-ntp true'
  return skew < ruinousSkew ? warning(check, message, fix) : failure(check, message, fix)
}

async function checkIssuer(publicUrl: string): Promise<Finding> {
  try {
    const response = await get(`${publicUrl}/.well-known/oauth-authorization-server`)
    const { issuer } = (await response.json()) as { issuer?: unknown }
    if (issuer === publicUrl) return ok('issuer', `Its issuer is ${publicUrl}, as configured here.`)
    return failure(
      'issuer',
      `The service there says that its issuer is ${JSON.stringify(issuer)}, and here PUBLIC_URL is ${publicUrl}.`,
      'Start the service with the same PUBLIC_URL, on all nodes: tokens of another issuer are refused.',
    )
  } catch (error) {
    return warning(
      'issuer',
      `Its metadata cannot be read: ${reasonOf(error)}.`,
      'Let the proxy hand on /.well-known/oauth-authorization-server, too.',
    )
  }
}

function checkProxy({ publicUrl, trustProxy, port }: RemoteConfig, response: Response): Finding {
  const { protocol, hostname, port: outside } = new URL(publicUrl)
  const server = response.headers.get('Server') ?? response.headers.get('Via')
  const isDirect = protocol === 'http:' && Number(outside || 80) === port && server === null
  if (!isDirect && trustProxy === 0) {
    return warning(
      'proxy',
      `There is a proxy in front (${server ?? `${protocol}//${hostname}`}), and TRUST_PROXY is off: every client has the proxy's address, for rate limits and networks, too.`,
      setForwardedFor,
    )
  }
  if (isDirect && trustProxy > 0) {
    return warning(
      'proxy',
      `TRUST_PROXY is ${trustProxy}, and clients reach the service directly: they can make up their address.`,
      'Set TRUST_PROXY=off, or let clients come through the proxy only (HOST=127.0.0.1).',
    )
  }
  return ok('proxy', isDirect ? 'No proxy in front, and none is trusted.' : 'TRUST_PROXY is set.')
}

async function checkCors({ corsOrigins }: RemoteConfig, url: string): Promise<Finding[]> {
  const origin = corsOrigins === '*' ? 'https://doctor.example' : corsOrigins[0]
  if (origin === undefined) return []
  const response = await get(url, {
    method: 'OPTIONS',
    headers: {
      Origin: origin,
      'Access-Control-Request-Method': 'GET',
      'Access-Control-Request-Headers': 'authorization',
    },
  })
  const allowed = response.headers.get('Access-Control-Allow-Origin')
  const headers = response.headers.get('Access-Control-Allow-Headers') ?? ''
  if ((allowed === origin || allowed === '*') && /authorization/i.test(headers)) {
    return [ok('cors', `Pages of ${origin} may call it.`)]
  }
  return [
    failure(
      'cors',
      `Pages of ${origin} may not call it: the preflight was answered ${response.status}, Access-Control-Allow-Origin ${allowed ?? 'missing'}.`,
      'Let the proxy hand on OPTIONS requests and the Access-Control-* headers of the answers, and add none.',
    ),
  ]
}
