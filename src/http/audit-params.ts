import { z } from 'zod'
import { auditActions, auditOutcomes } from '../domain/audit.js'
import type { AuditFilter } from '../services/audit/reader.js'
import { integerText, text } from './params.js'

const moment = z
  .string()
  .refine((value) => /^\d{4}-\d\d-\d\d/.test(value) && Number.isFinite(Date.parse(value)), {
    error: 'must be a time such as 2026-11-23 or 2026-11-23T14:00:00Z',
  })

/** What of the audit log is wanted, whoever asks. */
export const auditArgs = z.object({
  action: z
    .enum(auditActions, { error: 'must be an action of the audit log' })
    .optional()
    .describe('Only this action.'),
  outcome: z
    .enum(auditOutcomes, { error: 'must be done or refused' })
    .optional()
    .describe('Only this outcome.'),
  request_id: text.optional().describe('Only this request, as its `X-Request-Id` said.'),
  from: moment.optional().describe('Only since then, ISO 8601.'),
  to: moment.optional().describe('Only until then.'),
  before: integerText(1, 999_999_999)
    .optional()
    .describe('Only entries with smaller ids: the next page.'),
  per_page: integerText(1, 100).default(20).describe('Entries on a page.'),
})

/** The same of all users and key-pairs. */
export const allAuditArgs = auditArgs.extend({
  user_id: integerText(1, 999_999_999).optional().describe('Only what was about this user.'),
  api_key: text.optional().describe('Only what was about this key-pair.'),
})

export function readAuditFilter(params: z.infer<typeof allAuditArgs>): AuditFilter {
  const { action, outcome, request_id: requestId, from, to, before, user_id, api_key } = params
  const seconds = (value: string) => Math.floor(Date.parse(value) / 1000)
  return {
    ...(action && { action }),
    ...(outcome && { outcome }),
    ...(requestId !== undefined && { requestId }),
    ...(from !== undefined && { from: seconds(from) }),
    ...(to !== undefined && { to: seconds(to) }),
    ...(before !== undefined && { before }),
    ...(user_id !== undefined && { userId: user_id }),
    ...(api_key !== undefined && { apiKey: api_key }),
  }
}
