const barWidth = 3
const gap = 1
const height = 20
/** So that one exchange beside a thousand is still seen. */
const minBar = 2

/**
 * How often a key-pair was exchanged, a bar a day.
 *
 * @param days Exchanges a day, oldest first, today last.
 */
export function Sparkline({ days }: { days: readonly number[] }) {
  const width = days.length * (barWidth + gap) - gap
  const most = Math.max(...days, 0)
  const total = days.reduce((sum, count) => sum + count, 0)
  const bars = days
    .map((count, index) => ({ x: index * (barWidth + gap), bar: barHeight(count, most) }))
    .filter(({ bar }) => bar > 0)
    .map(({ x, bar }) => `M${x} ${height - bar}h${barWidth}v${bar}h-${barWidth}z`)
    .join('')
  return (
    <svg
      class="sparkline"
      viewBox={`0 0 ${width} ${height + 1}`}
      width={width}
      height={height + 1}
      role="img"
      aria-label={describe(days, total)}
    >
      <title>{describe(days, total)}</title>
      <path class="sparkline-base" d={`M0 ${height}h${width}v1h-${width}z`} />
      {total > 0 && <path class="sparkline-bars" d={bars} />}
    </svg>
  )
}

function barHeight(count: number, most: number): number {
  if (count === 0) return 0
  return Math.max(minBar, Math.round((count / most) * height * 10) / 10)
}

const whole = new Intl.NumberFormat('en')

function describe(days: readonly number[], total: number): string {
  if (total === 0) return `No exchanges in the last ${days.length} days`
  const today = days.at(-1) ?? 0
  const noun = total === 1 ? 'exchange' : 'exchanges'
  return `${whole.format(total)} ${noun} in the last ${days.length} days, ${whole.format(today)} today`
}
