import { maxApiKeyLength } from '../../domain/key-pair.js'
import { ServiceError } from '../../errors.js'
import type { Events, TokenDialect } from '../../hooks.js'
import type { JwtAuthService } from '../jwt-auth.js'
import type { IssuedTokens, Origin, TokenService } from '../tokens.js'
import type { Emitter } from './actions.js'

// As in with-actions.ts, for what happens to tokens.

interface Deps {
  emitter: Emitter
  /** Seconds since the Unix epoch. */
  now: () => number
}

type During = Events['tokenRefused']['during']

export function withTokenActions(service: TokenService, { emitter, now }: Deps): TokenService {
  if (!emitter.wants('tokenIssued', 'tokenRefreshed', 'tokenRefused')) return service
  const { emit } = emitter

  const { telling, describe } = createTellers(emitter, now)

  const issuing: Partial<TokenService> = {
    async exchange(apiKey, apiSecret, origin, ...rest) {
      const issued = await telling('exchange', origin, apiKey, () =>
        service.exchange(apiKey, apiSecret, origin, ...rest),
      )
      emit('tokenIssued', describe(issued, origin, origin.dialect ?? 'wordpress'))
      return issued
    },
    async exchangeVouched(apiKey, origin, ...rest) {
      const issued = await telling('exchange', origin, apiKey, () =>
        service.exchangeVouched(apiKey, origin, ...rest),
      )
      emit('tokenIssued', describe(issued, origin, origin.dialect ?? 'wordpress'))
      return issued
    },
    async grant(client, origin, ...rest) {
      const issued = await telling('exchange', origin, client.apiKey, () =>
        service.grant(client, origin, ...rest),
      )
      emit('tokenIssued', describe(issued, origin, 'oauth'))
      return issued
    },
    async refresh(token, origin, ...rest) {
      const issued = await telling('refresh', origin, undefined, () =>
        service.refresh(token, origin, ...rest),
      )
      emit('tokenRefreshed', describe(issued, origin, origin.dialect ?? 'wordpress'))
      return issued
    },
    async grantByRefresh(client, token, origin, ...rest) {
      const issued = await telling('refresh', origin, client.apiKey, () =>
        service.grantByRefresh(client, token, origin, ...rest),
      )
      emit('tokenRefreshed', describe(issued, origin, 'oauth'))
      return issued
    },
  }
  if (!emitter.wants('tokenRefused')) return { ...service, ...issuing }
  return {
    ...service,
    ...issuing,
    validate: (token, origin) =>
      telling('check', origin, undefined, () => service.validate(token, origin)),
    authenticate: (token, origin) =>
      telling('check', origin, undefined, () => service.authenticate(token, origin)),
    authenticateClient: (client, origin) =>
      telling('check', origin, client.apiKey, () => service.authenticateClient(client, origin)),
  }
}

type Made = Pick<IssuedTokens, 'user' | 'apiKey' | 'scopes'> & { expiresIn?: number }

function createTellers({ emit }: Emitter, now: () => number) {
  return {
    /** A failure of the service itself is no refusal. */
    async telling<T>(
      during: During,
      { ip }: Origin,
      apiKey: string | undefined,
      work: () => Promise<T>,
    ): Promise<T> {
      try {
        return await work()
      } catch (error) {
        if (error instanceof ServiceError && error.status < 500) {
          const { code } = error
          emit('tokenRefused', { at: now(), during, code, apiKey: shown(apiKey), ip })
        }
        throw error
      }
    },

    describe({ user, apiKey, scopes, expiresIn }: Made, { ip }: Origin, dialect: TokenDialect) {
      return { at: now(), userId: user.id, apiKey, dialect, scopes, expiresIn, ip }
    },
  }
}

export function withJwtAuthActions(
  service: JwtAuthService,
  { emitter, now }: Deps,
): JwtAuthService {
  if (!emitter.wants('tokenIssued', 'tokenRefreshed', 'tokenRefused')) return service
  const { emit } = emitter
  const { telling, describe } = createTellers(emitter, now)

  return {
    async logIn(credentials, device, origin) {
      const apiKey = 'apiKey' in credentials ? credentials.apiKey : undefined
      const issued = await telling('exchange', origin, apiKey, () =>
        service.logIn(credentials, device, origin),
      )
      emit('tokenIssued', describe(issued, origin, 'jwt-auth'))
      return issued
    },
    async mint(refreshToken, device, origin) {
      const issued = await telling('refresh', origin, undefined, () =>
        service.mint(refreshToken, device, origin),
      )
      emit('tokenRefreshed', describe(issued, origin, 'jwt-auth'))
      return issued
    },
    async refresh(refreshToken, device, origin) {
      const refreshed = await telling('refresh', origin, undefined, () =>
        service.refresh(refreshToken, device, origin),
      )
      emit('tokenRefreshed', describe(refreshed, origin, 'jwt-auth'))
      return refreshed
    },
    validate: (token, origin) =>
      telling('check', origin, undefined, () => service.validate(token, origin)),
  }
}

const apiKeyPattern = new RegExp(`^[\\w-]{1,${maxApiKeyLength}}$`)

/** A secret in the wrong field must not get any further. */
function shown(apiKey: string | undefined): string | undefined {
  if (apiKey === undefined || !apiKeyPattern.test(apiKey)) return undefined
  return apiKey.startsWith('twk_') ? undefined : apiKey
}
