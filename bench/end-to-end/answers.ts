import { createReadStream, readdirSync } from 'node:fs'
import { join, relative } from 'node:path'
import { createInterface } from 'node:readline'
import { CLOSING } from './topic.ts'
import { type Groups, KEYS } from './truth.ts'

/** How a contender's answers are to be read. */
export interface AnswerRules {
  /** Several processes have counted some of the events each: rows of a group are added up. Else a group has one row. */
  readonly parts: boolean
  /** Share by which a count of different values may be off: 0 for who promises exact ones. */
  readonly distinctTolerance: number
}

/**
 * Compares what is in `folder/QUERY/*.json*` with what is true; returns what is wrong in words: groups that are missing, that are
 * there twice, that nobody asked for, whose numbers differ.
 */
export async function wrongAnswers(
  folder: string,
  expected: Readonly<Record<string, Groups>>,
  rules: AnswerRules,
): Promise<string[]> {
  const problems: string[] = []
  for (const [query, truth] of Object.entries(expected)) {
    const { groups, repeated } = await readGroups(join(folder, query), KEYS[query] as readonly string[])
    const missing = [...truth.keys()].filter((key) => !groups.has(key))
    // Whoever takes an ended input for the end of time shows what closes the other windows too.
    const unwanted = [...groups.keys()].filter((key) => !truth.has(key) && !key.includes(CLOSING))
    const different = [...truth].filter(([key, { events, pages = 0 }]) => {
      const found = groups.get(key)
      if (!found) return false
      return found.events !== events || Math.abs((found.pages ?? 0) - pages) > rules.distinctTolerance * pages
    })
    const twice = rules.parts ? 0 : repeated
    if (missing.length + unwanted.length + different.length + twice === 0) continue
    problems.push(
      `${query}: of ${truth.size} groups ${missing.length} are missing, ${different.length} are different, ${twice} repeated; ` +
        `${unwanted.length} unwanted; for example ${[...missing, ...different.map(([key]) => key), ...unwanted][0]}`,
    )
  }
  return problems
}

async function readGroups(folder: string, keys: readonly string[]): Promise<{ groups: Groups; repeated: number }> {
  const groups: Groups = new Map()
  let repeated = 0
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8', withFileTypes: true })
  for (const file of files) {
    const path = join(file.parentPath, file.name)
    // What programs keep for themselves begins like this, by an old custom.
    if (!file.isFile() || /(^|\/)[._]|\.crc$/.test(relative(folder, path))) continue
    for await (const line of createInterface(createReadStream(path))) {
      const row = JSON.parse(line) as Record<string, string | number>
      const key = [timeOf(row['window_start']), ...keys.map((name) => row[name])].join('|')
      const group = groups.get(key)
      const events = Number(row['events'])
      const pages = Number(row['pages'] ?? 0)
      if (group) {
        repeated++
        group.events += events
        group.pages = (group.pages ?? 0) + pages
      } else {
        groups.set(key, { events, pages })
      }
    }
  }
  return { groups, repeated }
}

/** Programs write times as numbers or texts, with T or a space, with a zone or in UTC. */
function timeOf(value: unknown): number {
  if (typeof value === 'number') return value
  const text = String(value).replace(' ', 'T')
  return Date.parse(/Z|[+-]\d\d:?\d\d$/.test(text) ? text : `${text}Z`)
}
