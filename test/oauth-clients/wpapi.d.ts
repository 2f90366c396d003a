declare module 'wpapi' {
  interface Request<T> extends Promise<T> {
    me(): Request<T>
    setHeaders(name: string, value: string): Request<T>
  }
  export default class WPAPI {
    static discover(url: string): Promise<WPAPI>
    users(): Request<{ id: number; slug: string }>
  }
}
