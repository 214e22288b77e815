import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import pg from 'pg'
import { nodeFileSystem } from '../../src/base/file-system.ts'
import { logEpochs, readLogEntry } from '../../src/sinks/output-log.ts'

/** A look at the tables is at windows as far behind the newest one, ms of event time; only each so-manyth is at all of them. */
const RECENT_MS = 60_000
const LOOKS_PER_WHOLE = 40
const PAUSE_MS = 15

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
  readonly #epochsSeen = new Set<number>()
  readonly #fileRows = new Map<string, { rows: number; events: number }>()
  #marksSeen = ''
  #newestMs = 0
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
      await sleep(PAUSE_MS)
    }
    await client?.end().catch(() => {})
  }

  async #connect(): Promise<pg.Client> {
    const client = new pg.Client({ connectionString: this.#url })
    client.on('error', () => {})
    await client.connect()
    return client
  }

  /** What a transaction sees; nothing to look at when no mark has moved. */
  async #lookAtPostgres(client: pg.Client): Promise<void> {
    await client.query('begin isolation level repeatable read read only')
    const marks = await client.query<{ sink: string; epoch: string }>('select sink, epoch from millrace_progress')
    const marksSeen = JSON.stringify(marks.rows)
    if (marksSeen !== this.#marksSeen) {
      await this.#lookAtTables(client, this.looks % LOOKS_PER_WHOLE === 0 ? 0 : this.#newestMs - RECENT_MS)
      for (const { sink, epoch } of marks.rows) this.#grows(this.#marks, `mark of ${sink}`, Number(epoch))
      this.#marksSeen = marksSeen
    }
    await client.query('commit')
  }

  async #lookAtTables(client: pg.Client, fromMs: number): Promise<void> {
    const recent = `where window_start >= to_timestamp(${Math.max(0, fromMs)} / 1000.0)`
    const closed = await client.query<{ start: string; rows: string; events: string }>(
      `select window_start::text as start, count(*) as rows, sum(events) as events from closed ${recent} group by 1`,
    )
    const live = await client.query<{ key: string; events: string; start_ms: string }>(
      `select window_start::text || ' ' || coalesce(page_url, '') as key, events, extract(epoch from window_start) * 1000 as start_ms
       from live ${recent}`,
    )
    const all = await client.query<{ rows: string }>('select count(*) as rows from live')
    for (const { key, events, start_ms } of live.rows) {
      this.#grows(this.#live, `live ${key}`, Number(events))
      this.#newestMs = Math.max(this.#newestMs, Number(start_ms))
    }
    if (Number(all.rows[0]?.rows) < this.#live.size) this.problems.push('rows of live have vanished')
    for (const { start, rows, events } of closed.rows)
      this.#isFinal(`postgres ${start}`, `${rows} rows, ${events} events`)
  }

  async #lookAtFiles(): Promise<void> {
    const folder = join(this.#outputFolder, 'closed')
    const touched = new Set<string>()
    for (const epoch of await logEpochs(folder, nodeFileSystem)) {
      if (this.#epochsSeen.has(epoch)) continue
      this.#epochsSeen.add(epoch)
      const entry = await readLogEntry(folder, epoch, nodeFileSystem)
      if (!entry) this.problems.push(`the entry of epoch ${epoch} has vanished`)
      for (const { path } of entry?.files ?? []) {
        const text = await readFile(join(folder, path), 'utf8').catch(() => undefined)
        if (text === undefined) this.problems.push(`${path} is listed but not there`)
        for (const line of (text ?? '').split('\n').filter((one) => one !== '')) {
          const row = JSON.parse(line) as { window_start: string; events: number }
          const before = this.#fileRows.get(row.window_start) ?? { rows: 0, events: 0 }
          this.#fileRows.set(row.window_start, { rows: before.rows + 1, events: before.events + row.events })
          touched.add(row.window_start)
        }
      }
    }
    for (const start of touched) {
      const { rows, events } = this.#fileRows.get(start) as { rows: number; events: number }
      this.#isFinal(`files ${start}`, `${rows} rows, ${events} events`)
    }
  }

  #grows(seen: Map<string, number>, what: string, value: number): void {
    const before = seen.get(what) ?? Number.NEGATIVE_INFINITY
    if (value < before) this.problems.push(`${what} went back from ${before} to ${value}`)
    seen.set(what, Math.max(before, value))
  }

  #isFinal(window: string, content: string): void {
    const before = this.#windows.get(window)
    if (before !== undefined && before !== content) this.problems.push(`${window} had ${before}, later ${content}`)
    this.#windows.set(window, content)
  }
}
