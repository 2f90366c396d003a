import { confirmationText } from '../../domain/node.js'
import { isAdministrator } from '../../domain/user.js'
import type { KeyPairService } from '../../services/key-pairs.js'
import type { NodeService } from '../../services/nodes.js'
import type { Authenticator } from '../guards/authenticate.js'
import { refusalsAnswer } from '../ops/answers.js'
import { readId } from '../params.js'
import { presentConfirmation } from './present.js'
import type { WpRoute } from './route.js'

export interface RefusalRoutesDeps {
  keyPairs: KeyPairService
  nodes: NodeService
  authenticator: Authenticator
}

/** Whether a revocation has arrived everywhere: nobody has to believe it. */
export function refusalRoutes({ keyPairs, nodes, authenticator }: RefusalRoutesDeps): WpRoute[] {
  return [
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/refusals',
      endpoints: [
        {
          methods: ['GET'],
          about: {
            tag: 'Key-pairs',
            summary: 'Ask every node whether it refuses a key-pair',
            notes:
              'Each node reads the state of the key for itself, as for a request that arrives now. Waits up to three seconds for those that do not answer.',
            access: 'person',
            answer: refusalsAnswer,
            failures: [
              'rest_authentication_edit_user_error',
              'rest_authentication_invalid_user_error',
              'rest_authentication_key_pair_not_found',
            ],
          },
          async handle(ctx) {
            const userId = readId(ctx.params?.user_id)
            const person = await authenticator.person(ctx)
            const actor = keyPairs.authorise(person, userId)
            const { apiKey } = await keyPairs.find(actor, userId, ctx.params?.api_key ?? '')
            const confirmation = await nodes.confirmRefusal(apiKey)
            const mayName = person !== undefined && isAdministrator(person.user)
            const message = confirmationText(confirmation, mayName)
            ctx.body = { ...presentConfirmation(confirmation, mayName), message }
          },
        },
      ],
    },
  ]
}
