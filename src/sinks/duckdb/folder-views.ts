import { readdir } from 'node:fs/promises'
import { join, resolve, sep } from 'node:path'

/** Readers by the end of a file's name, the best first: a query that is written in several formats has the same rows in each. */
const READERS: readonly (readonly [extension: string, reader: (files: string) => string])[] = [
  ['parquet', (files) => `read_parquet(${files}, hive_partitioning = true, union_by_name = true)`],
  [
    'ndjson',
    (files) => `read_json(${files}, format = 'newline_delimited', hive_partitioning = true, union_by_name = true)`,
  ],
  ['csv', (files) => `read_csv(${files}, hive_partitioning = true, union_by_name = true)`],
]

/** Statements that make a view of the files below each folder in these folders, by the folder's name; those in `taken` stay as they are. */
export async function folderViews(folders: readonly string[], taken: ReadonlySet<string>): Promise<string[]> {
  const names = new Set(taken)
  const statements: string[] = []
  for (const folder of folders) {
    const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      if (!entry.isDirectory() || !/^[a-z][a-z0-9_]{0,62}$/.test(entry.name) || names.has(entry.name)) continue
      const reader = await readerOf(resolve(folder, entry.name))
      if (reader === undefined) continue
      names.add(entry.name)
      statements.push(`create temp view "${entry.name}" as select * from ${reader}`)
    }
  }
  return statements
}

/** Reads the files that are there for everybody: those that a sink is still preparing lie in a hidden folder. */
async function readerOf(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder, { recursive: true })).filter((name) => !isHidden(name)).sort()
  for (const [extension, reader] of READERS) {
    const found = names.filter((name) => name.endsWith(`.${extension}`))
    if (found.length === 0) continue
    return reader(`[${found.map((name) => `'${join(folder, name).replaceAll("'", "''")}'`).join(', ')}]`)
  }
  return undefined
}

function isHidden(name: string): boolean {
  return name.split(sep).some((part) => part.startsWith('.') || part.startsWith('_'))
}
