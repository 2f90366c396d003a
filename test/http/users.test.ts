import type { ExecutionContext } from 'ava'
import { bearer, onEachDatabase, type Service } from '../helpers/with-service.js'

const viewFields = [
  '_links',
  'avatar_urls',
  'description',
  'id',
  'link',
  'meta',
  'name',
  'slug',
  'url',
]
const privateFields = ['email', 'first_name', 'last_name', 'registered_date', 'roles', 'username']

/** A session's and an access token's headers for a user. */
async function credentialsOf(service: Service, login: string): Promise<Record<string, string>[]> {
  const { user, headers } = await service.logIn(login)
  const { access_token } = await service.exchange(await service.mint(user.id))
  return [headers, bearer(access_token)]
}

function assertUser(t: ExecutionContext, user: any, context: 'view' | 'edit'): void {
  const expected = context === 'edit' ? [...viewFields, ...privateFields].sort() : viewFields
  t.deepEqual(Object.keys(user).sort(), expected)
  t.notRegex(JSON.stringify(user), /argon2|password|hash"/)
}

onEachDatabase(
  'users/me is oneself, in WordPress’s shape, by token or session',
  async (t, service) => {
    const user = await service.createUser('ada', 'editor')
    for (const headers of await credentialsOf(service, 'ada')) {
      for (const path of [
        '/wp-json/wp/v2/users/me',
        '/wp/v2/users/me',
        '/index.php?rest_route=/wp/v2/users/me',
        `/wp/v2/users/${user.id}`,
      ]) {
        const { status, body } = await service.json(path, { headers })
        t.is(status, 200)
        assertUser(t, body, 'view')
        t.is(body.id, user.id)
        t.is(body.name, 'ada')
        t.is(body.slug, 'ada')
        t.is(body.link, `${service.url}/author/ada/`)
        t.deepEqual(Object.keys(body.avatar_urls), ['24', '48', '96'])
        t.deepEqual(body._links, {
          self: [{ href: `${service.url}/wp-json/wp/v2/users/${user.id}` }],
          collection: [{ href: `${service.url}/wp-json/wp/v2/users` }],
        })
      }
      const { body } = await service.json('/wp/v2/users/me?context=edit', { headers })
      assertUser(t, body, 'edit')
      t.is(body.username, 'ada')
      t.is(body.email, 'ada@sample.org')
      t.deepEqual(body.roles, ['editor'])
      t.regex(body.registered_date, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00$/)
    }
  },
)

onEachDatabase(
  'only an administrator sees others, and "edit" is for those who may edit',
  async (t, service) => {
    const root = await service.createUser('root', 'administrator')
    const ada = await service.createUser('ada')
    await service.createUser('ed', 'editor')
    for (const headers of await credentialsOf(service, 'root')) {
      for (const context of ['view', 'embed', 'edit']) {
        const path = `/wp/v2/users/${ada.id}?context=${context}`
        const { status, body } = await service.json(path, { headers })
        t.is(status, 200)
        assertUser(t, body, context === 'edit' ? 'edit' : 'view')
      }
      const missing = await service.json('/wp/v2/users/99999', { headers })
      t.is(missing.status, 404)
      t.is(missing.body.code, 'rest_user_invalid_id')
    }
    for (const login of ['ada', 'ed']) {
      for (const headers of await credentialsOf(service, login)) {
        for (const id of [root.id, 99_999, 0]) {
          for (const context of ['view', 'embed', 'edit']) {
            const path = `/wp/v2/users/${id}?context=${context}`
            const { status, body } = await service.json(path, { headers })
            t.is(status, 403, 'the same answer, whether that user exists or not')
            t.is(body.code, 'rest_user_cannot_view')
          }
        }
        for (const path of [
          '/wp/v2/users',
          '/wp/v2/users?context=edit',
          '/wp/v2/users?search=root',
        ]) {
          const { status, body } = await service.json(path, { headers })
          t.is(status, 403)
          t.is(body.code, 'rest_user_cannot_view')
        }
      }
    }
  },
)

onEachDatabase('nobody is nobody: 401 without a token or a session', async (t, service) => {
  const user = await service.createUser('ada')
  const { cookie } = await service.logIn('ada')
  for (const path of ['/wp/v2/users', '/wp/v2/users/me', `/wp/v2/users/${user.id}`]) {
    for (const headers of [{}, { Cookie: cookie }, { Authorization: 'Basic YTpi' }]) {
      const answer = await service.json(path, { headers: headers as Record<string, string> })
      t.is(answer.status, 401)
      t.is(answer.body.code, 'rest_not_logged_in')
    }
  }
})

onEachDatabase('paths and contexts that are not WordPress’s are refused', async (t, service) => {
  await service.createUser('root', 'administrator')
  const { headers } = await service.logIn('root')
  for (const id of ['abc', '-1', '1.0', '1e0', '0x1', '%EF%BC%91', '1,2', '1%20']) {
    const { status, body } = await service.json(`/wp/v2/users/${id}`, { headers })
    t.is(status, 404, id)
    t.is(body.code, 'rest_no_route', id)
  }
  for (const query of [
    'context=',
    'context=admin',
    'context=edit&context=view',
    'context[]=edit',
  ]) {
    const { status, body } = await service.json(`/wp/v2/users/me?${query}`, { headers })
    const isIgnored = query.startsWith('context[]')
    t.is(status, isIgnored ? 200 : 400, query)
    if (isIgnored) assertUser(t, body, 'view')
    else t.deepEqual(body.data.params, { context: 'must be view, embed or edit' })
  }
  t.is((await service.json('/wp/v2/users/me', { headers, method: 'POST' })).status, 404)
  t.is((await service.json('/wp/v2/users/1', { headers, method: 'DELETE' })).status, 404)
})

onEachDatabase('the list comes in pages, with WordPress’s headers', async (t, service) => {
  await service.createUser('user1', 'administrator')
  for (let i = 2; i <= 12; i++) await service.createUser(`user${i}`)
  const { headers } = await service.logIn('user1')
  const list = async (query: string) => {
    const answer = await service.json(`/wp/v2/users${query}`, { headers })
    t.is(answer.status, 200, query)
    for (const user of answer.body) assertUser(t, user, 'view')
    const links = (answer.headers.get('Link') ?? '').split(', ').slice(1)
    return {
      slugs: answer.body.map((user: any) => Number(user.slug.slice(4))),
      total: answer.headers.get('X-WP-Total'),
      pages: answer.headers.get('X-WP-TotalPages'),
      links,
    }
  }
  const link = (query: string, rel: string) =>
    `<${service.url}/wp-json/wp/v2/users?${query}>; rel="${rel}"`
  t.deepEqual(await list(''), {
    slugs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10],
    total: '12',
    pages: '2',
    links: [link('page=2', 'next')],
  })
  t.deepEqual(await list('?per_page=5&page=2'), {
    slugs: [6, 7, 8, 9, 10],
    total: '12',
    pages: '3',
    links: [link('per_page=5&page=1', 'prev'), link('per_page=5&page=3', 'next')],
  })
  t.deepEqual(await list('?page=3&per_page=5'), {
    slugs: [11, 12],
    total: '12',
    pages: '3',
    links: [link('page=2&per_page=5', 'prev')],
  })
  t.deepEqual(await list('?per_page=100'), {
    slugs: [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12],
    total: '12',
    pages: '1',
    links: [],
  })
  t.deepEqual((await list('?per_page=12&page=2')).slugs, [], 'after the last page there is nothing')
  const other = await service.json('/?rest_route=/wp/v2/users&per_page=11', { headers })
  t.true(other.headers.get('Link')?.includes(link('per_page=11&page=2', 'next')))

  for (const query of ['page=0', 'page=-1', 'page=x', 'page=1.5', 'page=', 'page=1&page=2']) {
    t.is((await service.json(`/wp/v2/users?${query}`, { headers })).status, 400, query)
  }
  for (const query of ['per_page=0', 'per_page=101', 'per_page=1e1', 'page=9999999999999']) {
    t.is((await service.json(`/wp/v2/users?${query}`, { headers })).status, 400, query)
  }
})

onEachDatabase('a search means what it says, % and _ too', async (t, service) => {
  const { users } = service.runtime.services
  const add = (login: string, email: string, displayName: string) =>
    users.create({ login, email, displayName, password: 'long enough', role: 'subscriber' })
  await service.createUser('root', 'administrator')
  await add('under_score', 'a@sample.org', 'Ann')
  await add('underXscore', 'b@sample.org', 'Bob 100% sure!')
  await add('carl', 'carl@other.example', 'O’Neil \\ "quoted" \'single\'')
  const { headers } = await service.logIn('root')
  const search = async (text: string) => {
    const path = `/wp/v2/users?${new URLSearchParams({ search: text })}`
    const { status, body, headers: answer } = await service.json(path, { headers })
    t.is(status, 200)
    t.is(answer.get('X-WP-Total'), String(body.length))
    return body.map((user: any) => user.slug)
  }
  t.deepEqual(await search('under'), ['under_score', 'underxscore'])
  t.deepEqual(await search('r_s'), ['under_score'])
  t.deepEqual(await search('%'), ['underxscore'])
  t.deepEqual(await search('!'), ['underxscore'])
  t.deepEqual(await search('100% SURE'), ['underxscore'])
  t.deepEqual(await search('other.example'), ['carl'])
  t.deepEqual(await search('\\'), ['carl'])
  t.deepEqual(await search('"quoted" \'single\''), ['carl'])
  t.deepEqual(await search("' or 1=1 --"), [])
  t.is((await search('')).length, 4, 'an empty search is none')
  for (const query of ['search=%00', 'search=%FF', 'search=a&search=b']) {
    t.is((await service.json(`/wp/v2/users?${query}`, { headers })).status, 400, query)
  }
})
