import test from 'ava'
import {
  actorUserId,
  canManage,
  canView,
  operator,
  type TokenPrincipal,
} from '../../src/domain/actor.js'
import {
  isAdministrator,
  loginPattern,
  nicenameFrom,
  type Role,
  type User,
} from '../../src/domain/user.js'

for (const login of [
  'a',
  '1',
  'ada',
  'Ada Lovelace',
  'ada.lovelace',
  'ada_l-1',
  'ada@example.org',
  'a.',
  'a_',
  'x'.repeat(60),
]) {
  test(`${login} can be a login`, (t) => t.regex(login, loginPattern))
}

for (const login of [
  '',
  ' ada',
  'ada ',
  '.ada',
  '-ada',
  '_ada',
  '@ada',
  'x'.repeat(61),
  'adá',
  'ada\n',
  'ada\t1',
  'ada\0',
  "o'brien",
  'a/b',
  'a,b',
  'a%b',
  '<b>',
  '😀',
]) {
  test(`${JSON.stringify(login)} cannot be a login`, (t) => t.notRegex(login, loginPattern))
}

for (const [login, nicename] of [
  ['ada', 'ada'],
  ['Ada Lovelace', 'ada-lovelace'],
  ['ada@example.org', 'ada-example-org'],
  ['Ada_L-1', 'ada_l-1'],
  ['a.', 'a'],
  ['x'.repeat(60), 'x'.repeat(50)],
] as const) {
  test(`the nicename of ${login} is ${nicename}`, (t) => t.is(nicenameFrom(login), nicename))
}

const user = (id: number, ...roles: Role[]): User => ({
  id,
  login: `user${id}`,
  email: `user${id}@sample.org`,
  nicename: `user${id}`,
  displayName: '',
  firstName: '',
  lastName: '',
  roles,
  status: 'active',
  expiresAt: null,
  createdAt: 0,
})
const session = (of: User) =>
  ({ kind: 'session', user: of, sessionId: 's', secondFactorAt: null }) as const
const token = (of: User) => ({ kind: 'token', user: of, apiKey: 'k', scopes: [] }) as TokenPrincipal

test('an administrator is whoever has that role, among others', (t) => {
  t.true(isAdministrator(user(1, 'editor', 'administrator')))
  t.false(isAdministrator(user(1, 'editor', 'author', 'contributor', 'subscriber')))
  t.false(isAdministrator(user(1)))
})

test('a user manages their own, an administrator everybody’s', (t) => {
  t.true(canManage(session(user(1, 'subscriber')), 1))
  t.false(canManage(session(user(1, 'editor')), 2))
  t.true(canManage(session(user(1, 'administrator')), 2))
  t.true(canManage(operator, 2))
})

test('a token sees what its user sees', (t) => {
  t.true(canView(token(user(1, 'subscriber')), 1))
  t.false(canView(token(user(1, 'editor')), 2))
  t.true(canView(token(user(1, 'administrator')), 2))
  t.false(canView(session(user(1, 'subscriber')), 2))
  t.true(canView(operator, 2))
})

test('the operator is nobody in particular', (t) => {
  t.is(actorUserId(operator), null)
  t.is(actorUserId(session(user(7, 'subscriber'))), 7)
})
