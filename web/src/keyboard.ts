import { togglePause } from './feed.ts'
import { helpIsShown, showHelp } from './help.tsx'
import { filterText } from './selection.ts'

export const FILTER_ID = 'filter'

/** The keys that work anywhere on the page; what is typed into a field or meant for a button stays theirs. */
export function listenToKeys(): void {
  document.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || helpIsShown()) return
    const filter = document.getElementById(FILTER_ID)
    if (event.key === 'Escape') {
      filterText.value = ''
      filter?.blur()
    } else if (isElsewhere(event)) return
    else if (event.key === '/') filter?.focus()
    else if (event.key === ' ') togglePause()
    else if (event.key === '?') showHelp()
    else return
    event.preventDefault()
  })
}

function isElsewhere(event: KeyboardEvent): boolean {
  const target = event.target
  if (!(target instanceof HTMLElement)) return false
  if (target.matches('input, select, textarea')) return true
  return event.key === ' ' && target.matches('button, summary, a')
}
