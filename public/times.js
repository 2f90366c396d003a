// Times as src/views/time.tsx words them, kept current, and exact in the reader's own zone on hover.
const words = new Intl.RelativeTimeFormat('en', { numeric: 'auto' })
const exact = new Intl.DateTimeFormat('en-GB', { dateStyle: 'long', timeStyle: 'long' })
const units = [
  ['year', 31536000],
  ['month', 2592000],
  ['week', 604800],
  ['day', 86400],
  ['hour', 3600],
  ['minute', 60],
]

// The service's clock counts, whatever this machine's says.
const skew = Number(document.documentElement.dataset.now) - Math.floor(Date.now() / 1000)

function relative(at) {
  const distance = at - (Math.floor(Date.now() / 1000) + skew)
  for (const [unit, seconds] of units) {
    if (Math.abs(distance) >= seconds) return words.format(Math.trunc(distance / seconds), unit)
  }
  return 'just now'
}

export function showTimes(root = document) {
  for (const time of root.querySelectorAll('time[data-relative]')) {
    const date = new Date(time.dateTime)
    const text = relative(Math.floor(date.getTime() / 1000))
    if (time.textContent !== text) time.textContent = text
    const title = exact.format(date)
    if (time.title !== title) time.title = title
  }
}

export function watchTimes() {
  showTimes()
  setInterval(showTimes, 30_000)
}
