export { createApp } from './app.js'
export {
  type Config,
  ConfigError,
  type DatabaseConfig,
  loadConfig,
  readEnvironment,
} from './config.js'
export type { Actor, SessionActor, TokenPrincipal } from './domain/actor.js'
export type { KeyPair } from './domain/key-pair.js'
export type { User } from './domain/user.js'
export { loadConfigFile } from './config-file.js'
export {
  type Actions,
  type CheckContext,
  type ChosenKeyPair,
  type Credentials,
  defineConfig,
  type Events,
  type Extensions,
  type ForwardAuthOptions,
  type GivenHooks,
  type GuardedRequest,
  type Hooks,
  type IssueContext,
  type Refusal,
} from './hooks.js'
export { type ErrorCode, errorCatalogue, ServiceError } from './errors.js'
export {
  requireToken,
  type RequireTokenOptions,
  type TokenState,
} from './http/guards/require-token.js'
export type { Logger } from './logger.js'
export { createRuntime, type Runtime, type RuntimeOptions, SchemaError } from './runtime.js'
export { createServices, type Services } from './services/index.js'
export type { Stores } from './store/index.js'
