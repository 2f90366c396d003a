/** The base of rate-limiter-flexible's own stores, which its types describe and its index leaves out. */
declare module 'rate-limiter-flexible/lib/RateLimiterStoreAbstract.js' {
  import { RateLimiterStoreAbstract } from 'rate-limiter-flexible'

  export default class RateLimiterStore extends RateLimiterStoreAbstract {
    /** @returns Milliseconds, 0 if the key is not blocked. */
    getInMemoryBlockMsBeforeExpire(storedKey: string): number
  }
}

declare module 'rate-limiter-flexible/lib/RateLimiterRes.js' {
  export { RateLimiterRes as default } from 'rate-limiter-flexible'
}
