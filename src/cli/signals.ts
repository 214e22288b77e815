/** Ctrl-C and SIGTERM end a run cleanly; a second one ends the process at once. Gives a function that stops listening. */
export function onStop(stop: () => void): () => void {
  let asked = false
  const handle = (): void => {
    if (asked) process.exit(130)
    asked = true
    process.stderr.write('stopping: finishing the epoch and keeping where it stands (again to quit at once)\n')
    stop()
  }
  process.on('SIGINT', handle)
  process.on('SIGTERM', handle)
  return () => {
    process.off('SIGINT', handle)
    process.off('SIGTERM', handle)
  }
}
