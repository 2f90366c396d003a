import { readId } from '../params.js'
import { redirect } from './page.js'
import type { AddPage, ProfileTools } from './profile.js'

/** Signing out the devices of a key-pair. */
export function devicePages({ services, visitors, subjectOf }: ProfileTools, add: AddPage) {
  const path = '/key-pairs/:api_key/devices/:device_id/sign-out'

  add('post', path, async function signOut(ctx) {
    const { visitor } = await visitors.readForm(ctx)
    const subject = await subjectOf(ctx, visitor)
    const { api_key: apiKey = '', device_id: id = '' } = ctx.params ?? {}
    const deviceId = /^\d+$/.test(id) ? readId(id) : 0
    await services.devices.signOut(visitor.actor, subject.user.id, apiKey, deviceId)
    redirect(ctx, subject.base, 'device_signed_out')
  })
}
