import { generateSync } from 'otplib'
import { type LoggedIn, passwordOf, type Service } from './with-service.js'

export interface AuthenticatorApp {
  secret: string
  recoveryCodes: string[]
  /** What the app shows now; the clock is moved first, so that this code was never used. */
  next(): string
  /** What the app shows at a moment. */
  at(seconds: number): string
  /** Six digits that the app shows neither now nor near now. */
  wrong(): string
}

/** An app with a secret, by a clock that only the test moves. */
export function appOf(service: Service, secret: string, recoveryCodes: string[] = []) {
  const at = (seconds: number) => generateSync({ secret, epoch: seconds })
  const app: AuthenticatorApp = {
    secret,
    recoveryCodes,
    at,
    next() {
      service.advance(30)
      return at(service.now())
    },
    wrong() {
      const shown = [-60, -30, 0, 30, 60].map((distance) => at(service.now() + distance))
      return ['000000', '111111', '222222', '333333', '444444', '555555'].find(
        (code) => !shown.includes(code),
      ) as string
    },
  }
  return app
}

export async function actorOf(service: Service, { cookie }: LoggedIn) {
  const actor = await service.runtime.services.sessions.find(cookie.split('=')[1] ?? '')
  if (!actor) throw new Error('not logged in')
  return actor
}

/** Gives a logged-in user an authenticator app. Stops the service's clock. */
export async function setUpApp(service: Service, person: LoggedIn): Promise<AuthenticatorApp> {
  service.stopClock()
  const { secondFactors } = service.runtime.services
  const actor = await actorOf(service, person)
  const { secret } = await secondFactors.offerTotp(actor, passwordOf(actor.user.login), null)
  const code = generateSync({ secret, epoch: service.now() })
  return appOf(service, secret, await secondFactors.confirmTotp(actor, secret, code, null))
}
