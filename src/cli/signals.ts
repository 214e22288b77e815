import { say } from './output.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const FORCED_EXIT_CODE = 130

/**
 * Ctrl-C, SIGTERM and a closed terminal end what runs cleanly; a second one ends the process at once, as if it had crashed.
 * Gives a function that stops listening.
 */
export function onStop(stop: () => void): () => void {
  let asked = false
  const handle = (): void => {
    if (asked) process.exit(FORCED_EXIT_CODE)
    asked = true
    say('stopping: finishing what is begun and keeping where it stands (again to quit at once)')
    stop()
  }
  for (const signal of SIGNALS) process.on(signal, handle)
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle)
  }
}
