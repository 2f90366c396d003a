// What makes the pages quicker. They work without it: every form here also posts to a page.
import { watchClipboard } from './clipboard.js'
import { watchDialogs } from './dialogs.js'
import { watchKeyPairs } from './key-pairs.js'
import { watchSecondFactor } from './second-factor.js'
import { watchTimes } from './times.js'

document.documentElement.classList.add('js')
watchTimes()
watchClipboard()
watchDialogs()
watchKeyPairs()
watchSecondFactor()

// The word that brought the message is done with: reloading should not say it again.
const address = new URL(location.href)
if (address.searchParams.has('notice')) {
  address.searchParams.delete('notice')
  history.replaceState(history.state, '', address)
}

// A page that comes back from the browser's memory may be of a session that has ended.
addEventListener('pageshow', (event) => {
  if (event.persisted) location.reload()
})
