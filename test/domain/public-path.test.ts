import test from 'ava'
import { isPublic, parsePublicPath, plainPath } from '../../src/domain/public-path.js'

for (const [text, method, path, expected] of [
  ['/health', 'GET', '/health', true],
  ['/health', undefined, '/health', true],
  ['/health/', 'POST', '/health', true],
  ['/health', 'GET', '/health/x', false],
  ['/health', 'GET', '/healthz', false],
  ['/health', 'GET', '/HEALTH', false],
  ['/public/*', 'GET', '/public/a/b.css', true],
  ['/public/*', 'GET', '/public', true],
  ['/public/*', 'GET', '/publicity', false],
  ['/*', 'DELETE', '/anything', true],
  ['GET /*', 'DELETE', '/anything', false],
  ['/', 'GET', '/', true],
  ['/', 'GET', '/x', false],
  ['GET /news/*', 'GET', '/news/1', true],
  ['GET /news/*', 'HEAD', '/news/1', true],
  ['GET /news/*', 'POST', '/news/1', false],
  ['GET /news/*', 'get', '/news/1', false],
  ['GET /news/*', undefined, '/news/1', false],
  ['/public/*', 'GET', undefined, false],
] as const) {
  test(`${text} is ${expected ? '' : 'not '}${method} ${path}`, (t) => {
    const parsed = parsePublicPath(text)
    t.truthy(parsed)
    t.is(isPublic(parsed ? [parsed] : [], method, path), expected)
  })
}

for (const text of [
  '',
  'health',
  'get /x',
  'GET',
  '/a b',
  '/a?b=c',
  '/a/*/b',
  '/a*',
  '/../x',
  '//',
  'http://x/y',
]) {
  test(`"${text}" is no public path`, (t) => t.is(parsePublicPath(text), undefined))
}

test('a path that others may read differently is not plain', (t) => {
  for (const target of [
    '/public/../admin',
    '/public/..',
    '/public/./x',
    '/public//x',
    '//evil.example.com/public/x',
    '/public/%2e%2e/admin',
    '/public/.%2E/admin',
    '/public/%2Fadmin',
    '/public/..%2fadmin',
    '/public\\..\\admin',
    '/public/%5c..%5cadmin',
    '/public/%252e%252e/admin',
    '/public/..;/admin',
    '/public/%3b',
    '/public/%00',
    '/public/%0d%0a',
    '/public/%zz',
    '/public/%',
    '/public/ x',
    '/public/#x',
    '/public/é',
    'public/x',
    'http://api.example.com/public/x',
    '/public/x, /admin',
    '',
    '*',
  ]) {
    t.is(plainPath(target), undefined, target)
  }
  t.is(plainPath('/public/a%20b/c.css?x=/../y'), '/public/a%20b/c.css')
  t.is(plainPath('/.well-known/x'), '/.well-known/x')
  t.is(plainPath('/a..b/...'), '/a..b/...')
})
