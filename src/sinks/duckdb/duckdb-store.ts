import { access } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api'
import { createDirectory, syncDirectory } from '../../base/durable-file.ts'
import { MillraceError } from '../../base/error.ts'

/**
 * A database file of this process. DuckDB keeps other processes out of it, but opening it twice in one process would ruin it: whoever
 * needs it here gets the same one. Writers take turns.
 */
export class DuckDbStore {
  readonly path: string
  #instance: DuckDBInstance | undefined
  #opening: Promise<DuckDBInstance> | undefined
  #users = 0
  #folders: readonly string[] = []
  #turn: Promise<unknown> = Promise.resolve()

  private constructor(path: string) {
    this.path = path
  }

  /** The store of a file; nothing is opened yet. Each `use` needs a `release`. */
  static use(path: string): DuckDbStore {
    const full = resolve(path)
    const store = stores.get(full) ?? new DuckDbStore(full)
    stores.set(full, store)
    store.#users++
    return store
  }

  /** Lets queries read files below these folders, from the next opening on. */
  allow(folders: readonly string[]): void {
    this.#folders = folders
  }

  /** Closes the file with its last user. */
  async release(): Promise<void> {
    this.#users--
    if (this.#users > 0) return
    await this.#turn.catch(() => {})
    stores.delete(this.path)
    this.#drop()
  }

  async exists(): Promise<boolean> {
    if (this.#instance) return true
    return access(this.path).then(
      () => true,
      () => false,
    )
  }

  /** A connection of its own; the caller ends it. Creates the file when it is missing. */
  async connect(): Promise<DuckDBConnection> {
    try {
      return await (this.#instance ?? (await this.#open())).connect()
    } catch (error) {
      throw asMillraceError(error, this.path)
    }
  }

  /** Runs `use` when every writer before is done. */
  async exclusively<T>(use: () => Promise<T>): Promise<T> {
    const mine = this.#turn.catch(() => {}).then(use)
    this.#turn = mine
    try {
      return await mine
    } catch (error) {
      // After such an error DuckDB refuses everything until the file is opened anew.
      if (error instanceof Error && /invalidated|FATAL/.test(error.message)) this.#drop()
      throw asMillraceError(error, this.path)
    }
  }

  /** Whoever comes while it is being opened waits for that: a query may come at the moment at which the job begins. */
  #open(): Promise<DuckDBInstance> {
    this.#opening ??= openLocked(this.path, this.#folders)
      .then((instance) => {
        this.#instance = instance
        return instance
      })
      .finally(() => {
        this.#opening = undefined
      })
    return this.#opening
  }

  #drop(): void {
    this.#instance?.closeSync()
    this.#instance = undefined
  }
}

/** A greedy query must not take the job down with it. */
const MEMORY_MAX = '2GB'

const stores = new Map<string, DuckDbStore>()

/**
 * Settings under which SQL of users can do no harm: it reads the files of `folders` and nothing else, and cannot change that.
 * For statements one by one: they are no parameters.
 */
export function lockDown(folders: readonly string[]): string[] {
  const list = folders.map((folder) => `'${resolve(folder).replaceAll("'", "''")}/'`).join(', ')
  return [
    "set timezone = 'UTC'",
    `set allowed_directories = [${list}]`,
    'set enable_external_access = false',
    'set lock_configuration = true',
  ]
}

async function openLocked(path: string, folders: readonly string[]): Promise<DuckDBInstance> {
  await createDirectory(dirname(path))
  const instance = await DuckDBInstance.create(path)
  const connection = await instance.connect()
  try {
    for (const statement of [`set memory_limit = '${MEMORY_MAX}'`, ...lockDown(folders)])
      await connection.run(statement)
  } finally {
    connection.closeSync()
  }
  await syncDirectory(dirname(path))
  return instance
}

/** Errors of DuckDB are plain; what another attempt may get over is `unavailable`. */
export function asMillraceError(error: unknown, path: string): Error {
  if (error instanceof MillraceError) return error
  if (!(error instanceof Error)) return new Error(String(error))
  const first = error.message.split('\n')[0] as string
  const holder = /lock is held in .*\(PID (\d+)\)/.exec(error.message)?.[1]
  if (holder !== undefined || /Could not set lock/.test(error.message)) {
    return new MillraceError('unavailable', `${path} is in use by process ${holder ?? 'unknown'}`, {
      hint: 'stop that process first, or use another file',
      cause: error,
    })
  }
  if (
    /No space left|Disk quota|TransactionContext Error: (Conflict|Failed to commit)|invalidated|FATAL|Out of Memory/.test(
      error.message,
    )
  ) {
    return new MillraceError('unavailable', `${path}: ${first}`, { hint: 'free space on the disk', cause: error })
  }
  return new MillraceError('incompatible-state', `${path}: ${first}`, {
    hint: 'the tables are not as the sink made them: bring them back, or name another file',
    cause: error,
  })
}
