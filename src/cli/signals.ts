import { say } from './output.ts'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
const FORCED_EXIT_CODE = 130
const STOPPING = 'stopping: finishing what is begun and keeping where it stands (again to quit at once)'

/**
 * Ctrl-C, SIGTERM and a closed terminal end what runs cleanly; a second one ends the process at once, as if it had crashed.
 * `what` is said at the first one. Gives a function that stops listening.
 */
export function onStop(stop: () => void, what: string = STOPPING): () => void {
  let asked = false
  const handle = (): void => {
    if (asked) process.exit(FORCED_EXIT_CODE)
    asked = true
    say(what)
    stop()
  }
  for (const signal of SIGNALS) process.on(signal, handle)
  return () => {
    for (const signal of SIGNALS) process.off(signal, handle)
  }
}
