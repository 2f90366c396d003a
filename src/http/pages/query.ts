import { textProblem } from '../../domain/text.js'
import type { RequestContext } from '../state.js'

/** @returns A parameter of a page's address; empty where it is absent or no text. */
export function queryText(ctx: RequestContext, name: string): string {
  const value = ctx.query[name]
  if (typeof value !== 'string' || textProblem(value, 255) !== undefined) return ''
  return value.trim()
}

/** @returns A page's number, from 1. */
export function queryNumber(ctx: RequestContext, name: string): number {
  const text = queryText(ctx, name)
  return /^[1-9]\d{0,5}$/.test(text) ? Number(text) : 1
}
