import { table } from '../sinks/console-sink.ts'
import { fileFormat } from '../sinks/file-format.ts'
import type { Sink } from '../sinks/sink.ts'

/** How `--print` can write rows. */
export const FORMATS = ['ndjson', 'csv', 'table'] as const
/** One of `FORMATS`. */
export type PrintFormat = (typeof FORMATS)[number]

/** Writes committed rows to stdout until nobody reads them; a CSV header comes once. */
export function printSink(format: PrintFormat): Sink {
  const texts = new Map<number, string>()
  const encoder = fileFormat({ kind: format === 'csv' ? 'csv' : 'json', path: '' })
  let headerDone = false
  let unread = false
  return {
    name: 'print',
    target: 'stdout',
    view: true,
    progress: () => Promise.resolve(undefined),
    open: () => Promise.resolve(undefined),
    async prepare({ epoch }, rows) {
      if (rows.rowCount > 0) {
        const all = Int32Array.from({ length: rows.rowCount }, (_, row) => row)
        const text =
          format === 'table' ? table(rows, 1_000) : Buffer.from(await encoder.encode(rows, all)).toString('utf8')
        texts.set(epoch, text)
      }
      return { rows: rows.rowCount, bytes: 0, files: [] }
    },
    async commit({ epoch }) {
      const text = texts.get(epoch)
      texts.delete(epoch)
      if (text === undefined || unread) return
      const shown = format === 'csv' && headerDone ? text.slice(text.indexOf('\n') + 1) : text
      headerDone = true
      // Waits for a slow reader instead of holding everything in memory.
      await new Promise<void>((done) =>
        process.stdout.write(shown, (error) => {
          unread = Boolean(error)
          done()
        }),
      )
    },
    forget: () => Promise.resolve(),
    close: () => Promise.resolve(),
  }
}
