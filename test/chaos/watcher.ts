import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { readOutputLog } from '../../src/sinks/output-log.ts'

/**
 * Reads what a job writes while it writes it, as anybody might, and remembers what must never be seen: a window of which some rows are there
 * and others come later, a value or a mark that goes back, a listed file that is not there.
 */
export class Watcher {
  readonly problems: string[] = []
  looks = 0
  readonly #url: string
  readonly #outputFolder: string
  readonly #stopping = new AbortController()
  readonly #marks = new Map<string, number>()
  readonly #live = new Map<string, number>()
  /** Rows seen per place and window; final from the first sight on. */
  readonly #windows = new Map<string, string>()
  readonly #filesSeen = new Set<string>()
  #fileRows = new Map<string, { rows: number; events: number }>()
  #running: Promise<void> = Promise.resolve()

  constructor(url: string, outputFolder: string) {
    this.#url = url
    this.#outputFolder = outputFolder
  }

  start(): void {
    this.#running = this.#watch()
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    await this.#running
  }

  async #watch(): Promise<void> {
    let client: pg.Client | undefined
    while (!this.#stopping.signal.aborted) {
      try {
        client ??= await this.#connect()
        await this.#lookAtPostgres(client)
      } catch (error) {
        // Tables that are not there yet, a server that restarts: look again later.
        if (!(error instanceof Error)) throw error
        await client?.end().catch(() => {})
        client = undefined
      }
      await this.#lookAtFiles()
      this.looks++
      await sleep(15)
    }
    await client?.end().catch(() => {})
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  async #lookAtPostgres(client: pg.Client): Promise<void> {
    await client.query('begin isolation level repeatable read read only')
    const marks = await client.query<{ sink: string; epoch: string }>('select sink, epoch from millrace_progress')
    const closed = await client.query<{ start: string; rows: string; events: string }>(
      'select window_start::text as start, count(*) as rows, sum(events) as events from closed group by 1',
    )
    const live = await client.query<{ key: string; events: string }>(
      `select window_start::text || ' ' || coalesce(page_url, '') as key, events from live`,
    )
    await client.query('commit')
    for (const { sink, epoch } of marks.rows) this.#grows(this.#marks, `mark of ${sink}`, Number(epoch))
    for (const { key, events } of live.rows) this.#grows(this.#live, `live ${key}`, Number(events))
    if (live.rows.length < this.#live.size) this.problems.push('rows of live have vanished')
    for (const { start, rows, events } of closed.rows)
      this.#isFinal(`postgres ${start}`, `${rows} rows, ${events} events`)
  }

  async #lookAtFiles(): Promise<void> {
    const folder = join(this.#outputFolder, 'closed')
    for (const entry of await readOutputLog(folder)) {
      this.#grows(this.#marks, 'newest epoch of the files', entry.epoch, true)
      for (const { path } of entry.files) {
        if (this.#filesSeen.has(path)) continue
        this.#filesSeen.add(path)
        const text = await readFile(join(folder, path), 'utf8').catch(() => undefined)
        if (text === undefined) this.problems.push(`${path} is listed but not there`)
        for (const line of (text ?? '').split('\n').filter((one) => one !== '')) {
          const row = JSON.parse(line) as { window_start: string; events: number }
          const before = this.#fileRows.get(row.window_start) ?? { rows: 0, events: 0 }
          this.#fileRows.set(row.window_start, { rows: before.rows + 1, events: before.events + row.events })
        }
      }
    }
    for (const [start, { rows, events }] of this.#fileRows)
      this.#isFinal(`files ${start}`, `${rows} rows, ${events} events`)
  }

  #grows(seen: Map<string, number>, what: string, value: number, among = false): void {
    const before = seen.get(what) ?? Number.NEGATIVE_INFINITY
    if (value < before && !among) this.problems.push(`${what} went back from ${before} to ${value}`)
    seen.set(what, Math.max(before, value))
  }

  #isFinal(window: string, content: string): void {
    const before = this.#windows.get(window)
    if (before !== undefined && before !== content) this.problems.push(`${window} had ${before}, later ${content}`)
    this.#windows.set(window, content)
  }
}
