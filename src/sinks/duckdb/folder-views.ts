import { readdir } from 'node:fs/promises'
import { basename, join, resolve, sep } from 'node:path'

/** Readers by the end of a file's name, the best first: a query that is written in several formats has the same rows in each. */
const READERS: readonly (readonly [extension: string, reader: (files: string) => string])[] = [
  ['parquet', (files) => `read_parquet(${files}, hive_partitioning = true, union_by_name = true)`],
  [
    'ndjson',
    (files) => `read_json(${files}, format = 'newline_delimited', hive_partitioning = true, union_by_name = true)`,
  ],
  ['csv', (files) => `read_csv(${files}, hive_partitioning = true, union_by_name = true)`],
]

/** A view of the files that a sink has written into a folder. */
export interface FolderView {
  readonly name: string
  readonly folder: string
  readonly statement: string
}

/** A view for each folder of output in these folders, by the folder's name; names in `taken` stay what they are. */
export async function folderViews(folders: readonly string[], taken: ReadonlySet<string>): Promise<FolderView[]> {
  const names = new Set(taken)
  const views: FolderView[] = []
  for (const parent of folders) {
    const entries = await readdir(parent, { withFileTypes: true }).catch(() => [])
    for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
      const { name } = entry
      if (!entry.isDirectory() || !/^[a-z][a-z0-9_]{0,62}$/.test(name) || names.has(name)) continue
      const folder = resolve(parent, name)
      const reader = await readerOf(folder)
      if (reader === undefined) continue
      names.add(name)
      views.push({ name, folder, statement: `create temp view "${name}" as select * from ${reader}` })
    }
  }
  return views
}

/**
 * Reads the files that are there for everybody: those that a sink is still preparing lie in a hidden folder. Undefined when the folder has none, or
 * is no output itself but holds folders of several.
 */
async function readerOf(folder: string): Promise<string | undefined> {
  const names = (await readdir(folder, { recursive: true })).filter(isOutput).sort()
  for (const [extension, reader] of READERS) {
    const found = names.filter((name) => name.endsWith(`.${extension}`))
    if (found.length === 0) continue
    return reader(`[${found.map((name) => `'${join(folder, name).replaceAll("'", "''")}'`).join(', ')}]`)
  }
  return undefined
}

/** Below an output there are folders of partitions, and those of formats when it is written in several. */
function isOutput(path: string): boolean {
  const folders = path.split(sep).slice(0, -1)
  return !/^[._]/.test(basename(path)) && folders.every((name) => /^(parquet|csv|json|[^._=][^=]*=.*)$/.test(name))
}
