import { z } from 'zod'
import type { DeviceService } from '../../services/devices.js'
import type { Authenticator } from '../guards/authenticate.js'
import { devicesAnswer } from '../ops/answers.js'
import { readId } from '../params.js'
import { presentDevice } from './present.js'
import type { WpRoute } from './route.js'

export interface DeviceRoutesDeps {
  devices: DeviceService
  authenticator: Authenticator
}

const failures = [
  'rest_authentication_edit_user_error',
  'rest_authentication_key_pair_not_found',
] as const

export function deviceRoutes({ devices, authenticator }: DeviceRoutesDeps): WpRoute[] {
  return [
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/devices',
      endpoints: [
        {
          methods: ['GET'],
          about: {
            tag: 'Key-pairs',
            summary: 'List the devices of a key-pair, last used first',
            access: 'person',
            answer: devicesAnswer,
            failures,
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            const { user_id: userId, api_key: apiKey = '' } = ctx.params ?? {}
            ctx.body = (await devices.list(actor, readId(userId), apiKey)).map(presentDevice)
          },
        },
      ],
    },
    {
      path: '/wp/v2/key-pair/:user_id/:api_key/devices/:device_id',
      endpoints: [
        {
          methods: ['DELETE'],
          about: {
            tag: 'Key-pairs',
            summary: 'Sign out a device of a key-pair',
            notes: 'Its refresh token and its access tokens are refused from the next request on.',
            access: 'person',
            answer: z.boolean().describe('Whether it was signed in.'),
            failures: [...failures, 'rest_device_not_found'],
          },
          async handle(ctx) {
            const actor = await authenticator.person(ctx)
            const { user_id: userId, api_key: apiKey = '', device_id: id } = ctx.params ?? {}
            const wasSignedIn = await devices.signOut(actor, readId(userId), apiKey, readId(id))
            ctx.body = JSON.stringify(wasSignedIn)
            ctx.type = 'application/json'
          },
        },
      ],
    },
  ]
}
