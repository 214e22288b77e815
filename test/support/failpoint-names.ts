import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

/** Names of the failpoints that a folder of the source has, or one file of it. A write that can be torn is `name:torn` to whoever arms it. */
export function failpointsIn(folder: string, file = '.ts'): string[] {
  const path = join(import.meta.dirname, '../../src', folder)
  return readdirSync(path)
    .filter((name) => name.endsWith(file) && !name.endsWith('.test.ts'))
    .flatMap((name) => [...readFileSync(join(path, name), 'utf8').matchAll(/(?:failpoint|tornWrite)\('([^']+)'\)/g)])
    .map((match) => match[1] as string)
}
