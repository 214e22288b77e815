import type { Import, Problem, Source } from './source.ts'

/**
 * No file of the program needs, to be loaded, a file that needs it: nobody could read or test one without the other. Imports of types, which
 * are gone when it runs, and those that wait until they are called for are left out.
 */
export function circles(sources: readonly Source[]): Problem[] {
  const program = new Map(
    sources.filter(({ path }) => /^(src|web\/src)\//.test(path)).map((source) => [source.path, needs(source)]),
  )
  const seen = new Set<string>()
  return [...program].flatMap(([path, imports]) => {
    if (seen.has(path)) return []
    for (const imported of imports) {
      const back = wayBetween(imported.path, path, program)
      if (back === undefined) continue
      for (const one of back) seen.add(one)
      return [{ path, line: imported.line, message: `is in a circle of imports: ${[path, ...back].join(' -> ')}` }]
    }
    return []
  })
}

type Need = Import & { readonly path: string }

function needs({ imports }: Source): Need[] {
  return imports.filter((one): one is Need => one.path !== undefined && !one.typesOnly && !one.lazy)
}

/** The shortest way, with both ends; undefined where there is none. */
function wayBetween(from: string, to: string, program: ReadonlyMap<string, readonly Need[]>): string[] | undefined {
  const cameFrom = new Map<string, string | undefined>([[from, undefined]])
  for (const path of cameFrom.keys()) {
    if (path === to) {
      const way: string[] = []
      for (let at: string | undefined = to; at !== undefined; at = cameFrom.get(at)) way.unshift(at)
      return way
    }
    // Visited in its turn by this same loop.
    for (const next of program.get(path) ?? []) if (!cameFrom.has(next.path)) cameFrom.set(next.path, path)
  }
  return undefined
}
