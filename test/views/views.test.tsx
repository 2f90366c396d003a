import test from 'ava'
import { renderToString } from 'preact-render-to-string'
import { MintedCard } from '../../src/views/shown-cards.js'
import { Sparkline } from '../../src/views/sparkline.js'
import { exactTime, relativeTime, Time } from '../../src/views/time.js'
import { describeBrowser } from '../../src/views/user-agent.js'

const now = 1_795_400_000

for (const [distance, text] of [
  [0, 'just now'],
  [59, 'just now'],
  [60, '1 minute ago'],
  [3599, '59 minutes ago'],
  [3600, '1 hour ago'],
  [86_399, '23 hours ago'],
  [86_400, 'yesterday'],
  [6 * 86_400, '6 days ago'],
  [14 * 86_400, '2 weeks ago'],
  [40 * 86_400, 'last month'],
  [800 * 86_400, '2 years ago'],
] as const) {
  test(`${distance} seconds ago is "${text}"`, (t) => {
    t.is(relativeTime(now - distance, now), text)
  })
}

test('a time carries the exact one, in UTC', (t) => {
  t.is(exactTime(1_795_317_540), '22 November 2026, 03:19 UTC')
  t.is(
    renderToString(<Time at={1_795_317_540} now={1_795_317_560} />),
    '<time datetime="2026-11-22T03:19:00.000Z" title="22 November 2026, 03:19 UTC" data-relative="true">just now</time>',
  )
  t.true(renderToString(<Time at={null} now={now} />).includes('Never'))
})

test('the usage picture has a text alternative, and a bar for the smallest day', (t) => {
  const days = new Array<number>(30).fill(0)
  days[0] = 1000
  days[29] = 1
  const html = renderToString(<Sparkline days={days} />)
  t.true(html.includes('aria-label="1,001 exchanges in the last 30 days, 1 today"'))
  t.true(html.includes('M0 0h3v20h-3z'))
  t.true(html.includes('M116 18h3v2h-3z'))
  const empty = renderToString(<Sparkline days={new Array<number>(30).fill(0)} />)
  t.true(empty.includes('No exchanges in the last 30 days'))
  t.false(empty.includes('sparkline-bars'))
})

test('a name is text, wherever it stands', (t) => {
  const pair = { name: '"><script>alert(1)</script>', apiKey: '1abc', apiSecret: 'twk_x' }
  const html = renderToString(
    <MintedCard pair={pair} tokenUrl="https://keys.sample.org/$x" base="/profile" isPage />,
  )
  t.false(html.includes('<script'))
  t.true(html.includes('&lt;script>') || html.includes('&lt;script&gt;'))
  // In a shell's double quotes a dollar sign would start a variable.
  t.true(html.includes('https://keys.sample.org/%24x'))
})

for (const [agent, name] of [
  [null, 'Unknown browser'],
  ['curl/8.5.0', 'curl'],
  [
    'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0',
    'Edge on Windows',
  ],
  [
    'Mozilla/5.0 (iPhone; CPU iPhone OS 17_4 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.4 Mobile/15E148 Safari/604.1',
    'Safari on iPhone',
  ],
  ['<img src=x>', '<img src=x>'],
] as const) {
  test(`a browser is called "${name}"`, (t) => t.is(describeBrowser(agent), name))
}
