import { z } from 'zod'
import { shape } from './answers.js'

// The envelope of usefulteam/jwt-auth.

const nothing = z.array(z.never()).max(0).describe('Always empty.')

export const mintedAnswer = shape(
  'JwtAuthToken',
  z.object({
    success: z.literal(true),
    statusCode: z.literal(200),
    code: z.literal('jwt_auth_valid_credential'),
    message: z.string(),
    data: z.object({
      token: z.string().describe('The access token.'),
      id: z.int().describe('Of the user, as what follows.'),
      email: z.string(),
      nicename: z.string(),
      firstName: z.string(),
      lastName: z.string(),
      displayName: z.string(),
    }),
  }),
)

const valid = z.object({
  success: z.literal(true),
  statusCode: z.literal(200),
  code: z.literal('jwt_auth_valid_token'),
  message: z.string(),
})

export const validAnswer = shape('JwtAuthCheck', valid.extend({ data: nothing }))

export const refreshedAnswer = shape(
  'JwtAuthRefresh',
  valid.extend({
    data: z
      .object({ refresh_token: z.string() })
      .optional()
      .describe('Where the token that was replaced came in the body.'),
  }),
)

export const jwtAuthErrorAnswer = shape(
  'JwtAuthError',
  z.object({
    success: z.literal(false),
    statusCode: z.literal(401),
    code: z.string(),
    message: z.string(),
    data: nothing.optional(),
  }),
)
