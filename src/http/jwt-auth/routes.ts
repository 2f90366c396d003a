import { z } from 'zod'
import { payloadOf } from '../../domain/token-payload.js'
import type { TokenPrincipal } from '../../domain/actor.js'
import { maxDeviceNameLength } from '../../domain/device.js'
import { textProblem } from '../../domain/text.js'
import { ServiceError } from '../../errors.js'
import type { HookSet } from '../../services/hooks/index.js'
import type { JwtAuthService, MintedToken, PairCredentials } from '../../services/jwt-auth.js'
import type { Origin } from '../../services/tokens.js'
import { readBody } from '../body.js'
import { requestOrigin } from '../request-origin.js'
import { readBearer } from '../guards/bearer.js'
import { mintedAnswer, refreshedAnswer, validAnswer } from '../ops/jwt-auth-answers.js'
import { exchangeFailures } from '../ops/operation.js'
import { readParams, text } from '../params.js'
import type { RequestContext } from '../state.js'
import type { WpRoute } from '../wp/route.js'
import { inJwtAuth, presentMinted, presentRefreshed, presentValid } from './envelope.js'
import type { RefreshCookies } from './refresh-cookie.js'

const refreshArgs = z.object({
  refresh_token: text.optional().describe('Instead of the cookie.'),
  device: text
    .refine((value) => textProblem(value, maxDeviceNameLength) === undefined, {
      error: `must have at most ${maxDeviceNameLength} characters`,
    })
    .optional()
    .describe('What the client calls the device it runs on.'),
})

const tokenArgs = refreshArgs.extend({
  username: text.optional().describe('A login or an e-mail address.'),
  password: text.optional().describe('An API secret of that user; never what they log in with.'),
  api_key: text.optional().describe('The API key of a key-pair, instead of a username.'),
  api_secret: text.optional().describe('The API secret of the same key-pair.'),
  custom_auth: z.unknown().optional().describe('For hooks of the operator.'),
})

type TokenParams = z.infer<typeof tokenArgs>

export interface JwtAuthRoutesDeps {
  jwtAuth: JwtAuthService
  refreshCookies: RefreshCookies
  hooks: Pick<
    HookSet,
    'customAuth' | 'jwtAuthCredentialResponse' | 'jwtAuthTokenResponse' | 'authorizationHeader'
  >
}

/** The routes of usefulteam/jwt-auth. */
export function jwtAuthRoutes({ jwtAuth, refreshCookies, hooks }: JwtAuthRoutesDeps): WpRoute[] {
  function answerMinted(minted: MintedToken): object | Promise<object> {
    const { user, apiKey } = minted
    const body = presentMinted(minted)
    const filter = hooks.jwtAuthCredentialResponse
    return filter ? filter(body, { user, apiKey, dialect: 'jwt-auth' }) : body
  }

  function answerValid({ user, apiKey }: TokenPrincipal, token: string): object | Promise<object> {
    const filter = hooks.jwtAuthTokenResponse
    if (!filter) return presentValid()
    return filter(presentValid(), { user, apiKey, payload: payloadOf(token) })
  }

  /** From the header that the operator has named, or the usual one. */
  function readAuthorization({ headers }: RequestContext): string | undefined {
    const named = hooks.authorizationHeader && headers[hooks.authorizationHeader]
    return (typeof named === 'string' && named) || headers.authorization
  }

  /** @throws {ServiceError} if they are not all there, or the operator's hook knows none of them. */
  async function credentialsOf(params: TokenParams, ip: string | null): Promise<PairCredentials> {
    const { username, password, custom_auth: customAuth } = params
    if (!customAuth) return readCredentials(params)
    const found = await hooks.customAuth?.({ username, password, customAuth, ip })
    if (found === undefined) throw new ServiceError('jwt_auth_custom_auth_failed')
    return { vouchedApiKey: found }
  }

  /** Credentials first: whoever sends some means those, whatever cookie the browser adds. */
  async function answerToken(ctx: RequestContext): Promise<object> {
    const params = readParams(tokenArgs, await readBody(ctx))
    const refreshToken = params.refresh_token?.trim() || refreshCookies.read(ctx)
    if (refreshToken === undefined || hasCredentials(params)) return logIn(ctx, params)
    const device = deviceOf(params)
    return inJwtAuth('refresh_token', async () =>
      answerMinted(await jwtAuth.mint(refreshToken, device, originOf(ctx))),
    )
  }

  async function logIn(ctx: RequestContext, params: TokenParams): Promise<object> {
    const credentials = await credentialsOf(params, originOf(ctx).ip)
    try {
      const { cookie, ...minted } = await jwtAuth.logIn(
        credentials,
        params.device ?? '',
        originOf(ctx),
      )
      const answer = await answerMinted(minted)
      refreshCookies.write(ctx, cookie)
      return answer
    } catch (error) {
      throw 'login' in credentials ? inWordsOfLogin(error, credentials.login) : error
    }
  }

  return [
    {
      path: '/jwt-auth/v1/token',
      endpoints: [
        {
          methods: ['POST'],
          args: tokenArgs,
          about: {
            tag: 'usefulteam/jwt-auth',
            summary: 'Mint an access token',
            notes:
              'With a key-pair, which also sets the cookie `refresh_token`; or with that cookie, ' +
              'or its value as `refresh_token`, which stays as it is.',
            access: 'anybody',
            dialect: 'jwt-auth',
            subjects: ['credential', 'refresh_token'],
            answer: mintedAnswer,
            failures: [
              ...exchangeFailures,
              'incorrect_password',
              'empty_username',
              'empty_password',
              'jwt_auth_missing_credentials',
              'jwt_auth_custom_auth_failed',
              'rest_authentication_required_device',
              'rest_authentication_too_many_devices',
            ],
          },
          async handle(ctx) {
            ctx.body = await inJwtAuth('credential', () => answerToken(ctx))
          },
        },
      ],
    },
    {
      path: '/jwt-auth/v1/token/validate',
      endpoints: [
        {
          methods: ['POST'],
          about: {
            tag: 'usefulteam/jwt-auth',
            summary: 'Check an access token',
            access: 'bearer',
            dialect: 'jwt-auth',
            subjects: ['access_token'],
            answer: validAnswer,
            failures: ['rest_authentication_invalid_token_type'],
          },
          async handle(ctx) {
            ctx.body = await inJwtAuth('access_token', async () => {
              const authorization = readAuthorization(ctx)
              if (!authorization) throw new ServiceError('rest_not_logged_in')
              const token = readBearer(authorization)
              return answerValid(await jwtAuth.validate(token, originOf(ctx)), token)
            })
          },
        },
      ],
    },
    {
      path: '/jwt-auth/v1/token/refresh',
      endpoints: [
        {
          methods: ['POST'],
          args: refreshArgs,
          about: {
            tag: 'usefulteam/jwt-auth',
            summary: 'Replace a refresh token',
            notes:
              'That of the cookie, or `refresh_token` of the body, which wins. The new one is in ' +
              'the cookie, and in the answer where the old one was in the body.',
            access: 'anybody',
            dialect: 'jwt-auth',
            subjects: ['refresh_token'],
            answer: refreshedAnswer,
            headers: { 'Set-Cookie': 'The cookie `refresh_token`, for HTTP only.' },
            failures: [...exchangeFailures, 'jwt_auth_no_auth_cookie'],
          },
          async handle(ctx) {
            ctx.body = await inJwtAuth('refresh_token', async () => {
              const params = readParams(refreshArgs, await readBody(ctx))
              const sent = params.refresh_token?.trim() || undefined
              const refreshToken = sent ?? refreshCookies.read(ctx)
              if (refreshToken === undefined) throw new ServiceError('jwt_auth_no_auth_cookie')
              const device = deviceOf(params)
              const cookie = await jwtAuth.refresh(refreshToken, device, originOf(ctx))
              refreshCookies.write(ctx, cookie)
              return presentRefreshed(sent === undefined ? undefined : cookie.value)
            })
          },
        },
      ],
    },
  ]
}

function originOf(ctx: RequestContext): Origin {
  return { ...requestOrigin(ctx), dialect: 'jwt-auth' }
}

/**
 * The device that goes with a refresh token: in their plugin the cookie is looked up by it, and by none
 * if none is named. A token in the body comes from clients that know no more than the token.
 */
function deviceOf(params: z.infer<typeof refreshArgs>): string | undefined {
  return params.device ?? (params.refresh_token?.trim() ? undefined : '')
}

/** Fields left empty, as in a form that was not filled in, are none. */
function hasCredentials({ custom_auth: custom, ...params }: TokenParams): boolean {
  const { username, password, api_key: apiKey, api_secret: apiSecret } = params
  return Boolean(custom || username || password || apiKey || apiSecret)
}

/** @throws {ServiceError} if they are not all there. */
function readCredentials(params: TokenParams): PairCredentials {
  const apiKey = params.api_key?.trim()
  const apiSecret = params.api_secret?.trim()
  if (apiKey && apiSecret) return { apiKey, apiSecret }
  const login = params.username?.trim()
  const password = params.password?.trim()
  if (login === undefined || password === undefined) {
    throw new ServiceError('jwt_auth_missing_credentials')
  }
  if (login === '') throw new ServiceError('empty_username')
  if (password === '') throw new ServiceError('empty_password')
  return { login, apiSecret: password }
}

/** The same whether there is such a user or not, and whatever it is that is not a secret of theirs. */
function inWordsOfLogin(error: unknown, login: string): unknown {
  const isWrong =
    error instanceof ServiceError && error.code === 'rest_authentication_invalid_api_key_secret'
  if (!isWrong) return error
  const whose = login.includes('@') ? 'the email address' : 'the username'
  return new ServiceError('incorrect_password', {
    message:
      `Error: The password you entered for ${whose} ${login} is incorrect. ` +
      'Use the API secret of one of your key-pairs: the password that you log in with is not accepted here.',
  })
}
