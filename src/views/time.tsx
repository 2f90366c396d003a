import { calendarTime } from '../domain/calendar.js'

const relative = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const units = [
  ['year', 31_536_000],
  ['month', 2_592_000],
  ['week', 604_800],
  ['day', 86_400],
  ['hour', 3600],
  ['minute', 60],
] as const

/** `public/times.js` says the same in the same words, so that nothing moves when it takes over. */
export function relativeTime(at: number, now: number): string {
  const distance = at - now
  for (const [unit, seconds] of units) {
    if (Math.abs(distance) >= seconds) return relative.format(Math.trunc(distance / seconds), unit)
  }
  return 'just now'
}

/** `22 November 2026, 03:19 UTC` */
export function exactTime(at: number): string {
  const { day, month, year } = calendarTime(at)
  const time = new Date(at * 1000).toISOString().slice(11, 16)
  return `${day} ${month} ${year}, ${time} UTC`
}

export interface TimeProps {
  /** Seconds since the Unix epoch; `null` is never. */
  at: number | null
  now: number
  never?: string
}

/** Relative, with the exact time on hover; the script puts that into the reader's own zone. */
export function Time({ at, now, never = 'Never' }: TimeProps) {
  if (at === null) return <span class="muted">{never}</span>
  return (
    <time datetime={new Date(at * 1000).toISOString()} title={exactTime(at)} data-relative>
      {relativeTime(at, now)}
    </time>
  )
}
