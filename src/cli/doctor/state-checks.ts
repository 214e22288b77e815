import { existsSync } from 'node:fs'
import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import { RESULT_STORE } from '../../sinks/duckdb/result-store.ts'
import type { CheckName, Finding } from './check.ts'

/** Looks at every checkpoint of a home, or at the one that is named, without changing anything. */
export async function checkCheckpoints(home: string, named: string | undefined): Promise<Finding[]> {
  const root = join(home, 'checkpoints')
  const folders = named === undefined ? (await namesIn(root)).map((name) => join(root, name)) : [named]
  return Promise.all(folders.map(checkCheckpoint))
}

/** The file that DuckDB sinks write to; none when there is none. A job that has it open is no fault. */
export async function checkResultStore(home: string): Promise<Finding[]> {
  const file = join(home, RESULT_STORE)
  if (!existsSync(file)) return []
  const { queryOwnStore } = await import('../../sinks/duckdb/duckdb-query.ts')
  return [
    await checked('results', `${file} can be read`, async () => {
      try {
        await queryOwnStore(file, 'select 1', { rowsMax: 1, timeoutMs: 10_000 })
      } catch (error) {
        if (!(error instanceof MillraceError && error.code === 'unavailable')) throw error
      }
    }),
  ]
}

async function checkCheckpoint(folder: string): Promise<Finding> {
  const { assertStateFormat, viewCheckpoint } = await import('../../job/checkpoint-view.ts')
  return checked('checkpoint', `${folder} can be gone on from`, async () => {
    const view = await viewCheckpoint(folder)
    if (view.header) return assertStateFormat(view)
    if (view.snapshots.length === 0 && view.epochs.length === 0) return
    throw new MillraceError('incompatible-state', `${folder} has no snapshot that can be read`, {
      hint: 'restore it from a backup, or start over with another --checkpoint and another --output',
    })
  })
}

async function checked(name: CheckName, detail: string, look: () => Promise<void>): Promise<Finding> {
  try {
    await look()
    return { name, fine: true, detail, fix: '' }
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    return { name, fine: false, detail: error.message, fix: error.hint, unfitting: true }
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}
