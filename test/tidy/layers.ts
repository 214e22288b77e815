import type { Import, Problem, Source } from './source.ts'
import { isTest } from './source.ts'

/**
 * Which layer may import which (ARCHITECTURE.md draws and explains it). A layer is a folder of `src`, or one of its two
 * public files; an entry with a slash is a single file. A layer may always import itself.
 */
const LAYERS: Readonly<Record<string, readonly string[]>> = {
  base: [],
  batch: ['base'],
  plan: ['base', 'batch', 'ml'],
  ml: ['base'],
  engine: ['base', 'batch', 'plan', 'ml'],
  event: ['base', 'batch', 'plan'],
  log: ['base', 'batch'],
  metrics: ['base'],
  sources: ['base', 'batch', 'plan', 'log'],
  sinks: ['base', 'batch', 'plan', 'log'],
  spark: ['base', 'batch', 'plan'],
  alerts: ['base', 'batch', 'plan', 'metrics'],
  generator: ['base', 'batch', 'event', 'log'],
  collector: ['base', 'batch', 'event', 'log', 'metrics'],
  job: ['base', 'batch', 'plan', 'ml', 'engine', 'event', 'log', 'metrics', 'sources', 'sinks', 'alerts'],
  server: ['base', 'batch', 'event', 'log', 'metrics', 'job', 'ml', 'alerts'],
  pipelines: ['src/index.ts'],
  index: ['base', 'batch', 'plan', 'event', 'ml'],
  testing: ['base', 'batch', 'plan', 'ml', 'engine', 'event', 'src/index.ts'],
}

/** These stand above the layers: the command ties everything together, tests and tools look at everything. */
const UNBOUND = ['src/cli/', 'test/', 'bench/', 'scripts/', 'bin/']

/** The twins of real things that live in memory, part of the public testing kit wherever they are. */
const MEMORY_TWIN = /^src\/(log|sources|sinks|base)\/(memory|virtual)[a-z-]*\.ts$/

/** Each import must go to a layer that the importing one may know. */
export function layers(sources: readonly Source[]): Problem[] {
  return sources.flatMap((source) => {
    if (isTest(source.path) || UNBOUND.some((folder) => source.path.startsWith(folder))) return []
    return source.imports.flatMap((imported) => {
      const allowed = mayImport(source.path, imported)
      if (allowed === undefined) return []
      const message = `imports ${imported.path ?? imported.specifier}, but ${allowed}`
      return [{ path: source.path, line: imported.line, message }]
    })
  })
}

/** Undefined if the import is fine, else what would be. */
function mayImport(path: string, imported: Import): string | undefined {
  if (path.startsWith('web/')) return mayWebImport(path, imported)
  if (path.startsWith('examples/')) return mayExampleImport(imported)
  if (imported.path === undefined) {
    const publicOnly = path.startsWith('src/pipelines/')
    return publicOnly && !isBuiltIn(imported) ? 'pipelines import only src/index.ts' : undefined
  }
  const from = layerOf(path)
  const to = layerOf(imported.path)
  if (from === undefined) return `${path} belongs to no layer (add it to the table in test/tidy/layers.ts)`
  if (from === to && to !== undefined) return undefined
  if (from === 'testing' && MEMORY_TWIN.test(imported.path)) return undefined
  const allowed = LAYERS[from] ?? []
  if (allowed.includes(imported.path) || (to !== undefined && allowed.includes(to))) return undefined
  return `${from} may import ${allowed.join(', ') || 'nothing'}`
}

function mayWebImport(path: string, { path: target, specifier, typesOnly }: Import): string | undefined {
  if (target === undefined) {
    const runsInNode = path.endsWith('.config.ts')
    return specifier.startsWith('node:') && !runsInNode ? 'the page runs in a browser' : undefined
  }
  if (target.startsWith('web/') || (target === 'src/server/api.ts' && typesOnly)) return undefined
  return 'web may import types from src/server/api.ts only'
}

function mayExampleImport(imported: Import): string | undefined {
  const fine =
    imported.specifier === 'millrace' ||
    isBuiltIn(imported) ||
    imported.path === 'src/index.ts' ||
    imported.path?.startsWith('examples/')
  return fine ? undefined : 'examples import only millrace (src/index.ts)'
}

function isBuiltIn({ specifier }: Import): boolean {
  return specifier.startsWith('node:')
}

/** The layer that a file of `src` belongs to. */
export function layerOf(path: string): string | undefined {
  const layer = /^src\/([a-z-]+)(\/|\.ts$)/.exec(path)?.[1]
  return layer !== undefined && (layer in LAYERS || layer === 'cli') ? layer : undefined
}
