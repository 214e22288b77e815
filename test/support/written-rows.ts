import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Rows that a JSON sink has written into a folder, in the order of its files; `R` is what the caller knows them to be. */
export async function writtenRows<R>(folder: string): Promise<R[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.ndjson')).sort()
  const texts = await Promise.all(names.map((name) => readFile(join(folder, name), 'utf8')))
  return texts.flatMap((text) => text.trim().split('\n')).map((line) => JSON.parse(line) as R)
}
