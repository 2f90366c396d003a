/** What can be had without a token: a path, or all below one, by any method or by one. */
export interface PublicPath {
  /** `undefined`: any. */
  method: string | undefined
  path: string
  /** Whether all below it is meant, too. */
  isPrefix: boolean
}

const form = /^(?:([A-Z]+) +)?(\/[^\s?#*]*?)(\/\*)?$/

/**
 * @param text E.g. `/health`, `/public/*` or `GET /articles/*`.
 * @returns `undefined` if it is none.
 */
export function parsePublicPath(text: string): PublicPath | undefined {
  const trimmed = text.trim()
  // All that there is below the root, which has nothing in front of its slash.
  const [, method, path = '', below] = form.exec(trimmed.replace(/(^| )\/\*$/, '$1//*')) ?? []
  if (path === '' || !isPlain(path)) return undefined
  return {
    method,
    path: path.length > 1 ? path.replace(/\/$/, '') : path,
    isPrefix: Boolean(below),
  }
}

/**
 * Whether one of the paths is that of a request. What is not known, or not plain, is not public.
 *
 * @param path As {@link plainPath} gives it.
 */
export function isPublic(
  paths: readonly PublicPath[],
  method: string | undefined,
  path: string | undefined,
): boolean {
  if (path === undefined) return false
  return paths.some((one) => {
    const asked = method === 'HEAD' ? 'GET' : method
    if (one.method !== undefined && one.method !== method && one.method !== asked) return false
    if (path === one.path) return true
    return one.isPrefix && path.startsWith(one.path === '/' ? '/' : `${one.path}/`)
  })
}

/**
 * The path of a request target, if every program reads it alike: what one takes for a file in `/public`
 * may be a way out of it to another.
 *
 * @param target E.g. `/articles/1?page=2`.
 */
export function plainPath(target: string): string | undefined {
  const [path = ''] = target.split('?')
  return isPlain(path) ? path : undefined
}

function isPlain(path: string): boolean {
  if (!path.startsWith('/')) return false
  // Encoded: slash, backslash, dot, percent sign, semicolon and all control characters.
  if (/[^\x21-\x7e]|[\\;#]|\/\/|%(?![\da-f]{2})|%(?:2f|5c|2e|25|3b|[01][\da-f]|7f)/i.test(path)) {
    return false
  }
  return !path.split('/').some((segment) => segment === '.' || segment === '..')
}
