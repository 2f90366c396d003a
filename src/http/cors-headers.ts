/** What pages of other origins may send: WordPress's list. */
export const corsAllowHeaders: readonly string[] = [
  'Authorization',
  'X-WP-Nonce',
  'X-HTTP-Method-Override',
  'Content-Type',
]
