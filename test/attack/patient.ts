/**
 * For services that are sent thousands of bad requests. A limit that refuses them, or a database that is
 * slow because the machine is busy, would hide how each would have been judged.
 */
export const patient = {
  DATABASE_CONNECT_TIMEOUT_MS: '60000',
  DATABASE_ACQUIRE_TIMEOUT_MS: '60000',
  DATABASE_QUERY_TIMEOUT_MS: '60000',
  RATE_LIMIT_LOGIN: 'off',
  RATE_LIMIT_LOGIN_ADDRESS: 'off',
  RATE_LIMIT_EXCHANGE: 'off',
  RATE_LIMIT_EXCHANGE_ADDRESS: 'off',
  RATE_LIMIT_INTROSPECTION: 'off',
}
