import { redact } from '../base/redact.ts'

/** Writes a line for people to stderr, without secrets. */
export function say(text: string): void {
  process.stderr.write(`${redact(text)}\n`)
}

/** Writes data to stdout, as one line of JSON without secrets. */
export function printJson(data: unknown): void {
  process.stdout.write(`${redact(JSON.stringify(data))}\n`)
}

let nobodyReads = (): void => process.exit(0)

/** From now on, whoever reads stdout may go away (`| head`): the command has said enough then, and that is fine. */
export function watchReader(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
    nobodyReads()
  })
  process.stderr.on('error', () => {}) // There is nobody left to tell.
}

/** What happens, instead of ending the process, when nobody reads stdout any more. */
export function whenNobodyReads(callback: () => void): void {
  nobodyReads = callback
}
