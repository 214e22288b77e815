import { isTest, type Problem, type Source } from './source.ts'

/**
 * From here everything in `src` is reached: the public API, the testing kit, the command, the page's types, and the modules
 * that `scripts/build.cjs` compiles.
 */
const ENTRIES = [
  'src/index.ts',
  'src/testing.ts',
  'src/cli/main.ts',
  'src/server/api.ts',
  'src/batch/wasm/index.ts',
  'src/batch/wasm/lz4.ts',
]

/** Each file of `src` takes part in the program; what only its own test imports is dead. */
export function reachable(sources: readonly Source[]): Problem[] {
  const byPath = new Map(sources.map((source) => [source.path, source]))
  const reached = new Set(ENTRIES)
  for (const path of reached) {
    for (const imported of byPath.get(path)?.imports ?? []) {
      if (imported.path !== undefined) reached.add(imported.path) // Visited in its turn by this same loop.
    }
  }
  return sources
    .filter(({ path }) => path.startsWith('src/') && !isTest(path) && !reached.has(path))
    .map(({ path }) => ({
      path,
      line: 1,
      message: 'is reached neither from the public API nor from the command or the page',
    }))
}
