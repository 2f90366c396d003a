import type { Actor } from '../../domain/actor.js'
import { confirmationText } from '../../domain/node.js'
import { isAdministrator } from '../../domain/user.js'
import { ServiceError } from '../../errors.js'
import type { Services } from '../../services/index.js'
import type { Message } from '../../views/page.js'
import type { Subject } from '../../views/profile.js'
import type { RequestContext } from '../state.js'
import { noticeOf } from './page.js'
import { queryText } from './query.js'
import type { Visitor } from './visitor.js'

/**
 * Makes what reads the notice of a profile from its address. The one about a revocation is completed with
 * what the nodes say about the key when they are asked now: an address proves nothing.
 */
export function createNoticeReader({ keyPairs, nodes }: Pick<Services, 'keyPairs' | 'nodes'>) {
  async function isRevoked(actor: Actor, userId: number, apiKey: string): Promise<boolean> {
    try {
      return (await keyPairs.find(actor, userId, apiKey)).revokedAt !== null
    } catch (error) {
      if (error instanceof ServiceError) return false
      throw error
    }
  }

  return async function readNotice(
    ctx: RequestContext,
    { actor }: Visitor,
    { user }: Subject,
  ): Promise<Message | undefined> {
    const notice = noticeOf(ctx)
    const apiKey = ctx.query.notice === 'revoked' ? queryText(ctx, 'key') : ''
    if (!notice || apiKey === '' || !(await isRevoked(actor, user.id, apiKey))) return notice
    const confirmation = await nodes.confirmRefusal(apiKey)
    const text = confirmationText(confirmation, isAdministrator(actor.user))
    return { ...notice, text: `${notice.text} ${text}` }
  }
}
