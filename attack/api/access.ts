import type { Attack } from '../attack.js'
import { bearer, type DescribedOperation, type Scene } from '../scene.js'
import type { Answer } from '../target.js'

// Who may ask what: the routes are those that the deployment describes, so that none is forgotten.

const isFor = (operation: DescribedOperation, scheme: string) =>
  operation.security.some((schemes) => schemes.includes(scheme))
const isOpen = ({ security }: DescribedOperation) =>
  security.length === 0 || security.some((schemes) => schemes.length === 0)

/** A path with a user's id, and with a key that is nobody's, so that nothing can come of it. */
function pathOf({ path }: DescribedOperation, userId: number): string {
  return path.replace('{api_key}', 'nobodys-key').replace(/\{\w+\}/g, String(userId))
}

/** Sends a request that would be right, but for who asks. */
function ask(
  { target }: Scene,
  operation: DescribedOperation,
  userId: number,
  headers: Record<string, string>,
): Promise<Answer> {
  const { method, fields } = operation
  const body = method === 'GET' ? undefined : JSON.stringify(Object.fromEntries(fields.map(sample)))
  return target.send(pathOf(operation, userId), {
    method,
    headers: { ...headers, ...(body && { 'Content-Type': 'application/json' }) },
    ...(body && { body }),
  })
}

const samples: Record<string, unknown> = {
  overlap: 0,
  expires_at: null,
  scopes: null,
  networks: null,
}
const sample = (name: string) => [name, name in samples ? samples[name] : `attack-${name}`] as const

const nameOf = ({ method, path }: DescribedOperation) => `${method} ${path}`
const isRefusal = ({ status }: Answer) => status >= 400 && status < 500

export const accessAttacks: Attack[] = [
  {
    name: 'api: every closed route, without credentials',
    expectation: 'refused',
    async run(scene, see) {
      for (const operation of scene.operations.filter((operation) => !isOpen(operation))) {
        for (const headers of [{}, bearer('x'), bearer('null'), { Authorization: 'Bearer' }]) {
          const answer = await ask(scene, operation, 1, headers)
          see(`${nameOf(operation)} ${JSON.stringify(headers)}`, answer, isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'api: every route for persons, by a token',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { access, refresh } = scene.tokens()
      const { userId } = scene.pair()
      const persons = scene.operations.filter(
        (operation) => !isOpen(operation) && !isFor(operation, 'bearer'),
      )
      for (const operation of persons) {
        for (const [kind, token] of Object.entries({ access, refresh })) {
          const answer = await ask(scene, operation, userId, bearer(token))
          see(`${nameOf(operation)} by an ${kind} token`, answer, isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'api: every closed route, by a key-pair in the place of a token',
    expectation: 'refused',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { apiKey, apiSecret, userId } = scene.pair()
      const basic = { Authorization: `Basic ${btoa(`${apiKey}:${apiSecret}`)}` }
      const closed = scene.operations.filter((operation) => !isOpen(operation))
      for (const operation of closed.filter((operation) => !isFor(operation, 'client'))) {
        for (const headers of [
          basic,
          { 'X-API-Key': apiKey, 'X-API-Secret': apiSecret },
          bearer(apiSecret),
        ]) {
          const answer = await ask(scene, operation, userId, headers)
          see(`${nameOf(operation)} ${Object.keys(headers)}`, answer, isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'api: other users’ data, by a token',
    expectation: 'the owner’s only, unless an administrator’s',
    needs: ['a key-pair'],
    async run(scene, see) {
      const { access } = scene.tokens()
      const { userId } = scene.pair()
      const headers = bearer(access)
      const list = await scene.target.send('/wp-json/wp/v2/users', { headers })
      // An administrator's token may read everybody: then there is nothing to be found out here.
      if (list.status === 200) return see('the list of users', 'an administrator’s', true)
      see('the list of users', list, isRefusal(list))
      for (const id of [userId - 1, userId + 1, 1, 0, 2 ** 31, 2 ** 53, `0${userId + 1}`]) {
        if (Number(id) === userId) continue
        for (const context of ['', '?context=edit']) {
          const answer = await scene.target.send(`/wp-json/wp/v2/users/${id}${context}`, {
            headers,
          })
          see(`user ${id}${context}`, answer, isRefusal(answer))
        }
      }
    },
  },
  {
    name: 'CVE-2025-61928 (better-auth)',
    cve: 'CVE-2025-61928',
    note: 'Whoever names a user in the body would have minted that user’s key-pairs, logged in or not.',
    expectation: 'refused',
    async run(scene, see) {
      const id = scene.has('a key-pair') ? scene.pair().userId : 1
      const owner = { user_id: id, userId: id, user: { id }, created_by: id }
      const more = scene.has('a key-pair') ? [bearer(scene.tokens().access)] : []
      for (const credentials of [{}, ...more]) {
        for (const path of [`/key-pair/${id}`, '/key-pair', '/key-pair/', '/key-pair/0']) {
          for (const type of ['application/json', 'application/x-www-form-urlencoded']) {
            const fields = { name: 'attack', ...owner }
            const form = new URLSearchParams({
              name: 'attack',
              user_id: String(id),
              userId: String(id),
            })
            const answer = await scene.target.send(`/wp-json/wp/v2${path}?user_id=${id}`, {
              method: 'POST',
              headers: { ...credentials, 'Content-Type': type },
              body: type.endsWith('json') ? JSON.stringify(fields) : form.toString(),
            })
            see(`POST ${path} as ${type}`, answer, isRefusal(answer))
          }
        }
      }
    },
  },
]
