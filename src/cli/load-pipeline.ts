import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { assertPlan } from '../plan/check.ts'
import type { FileSinkSpec, SinkSpec, SourceSpec } from '../plan/connectors.ts'
import type { PipelinePlan, QueryNode } from '../plan/node.ts'
import { planFromJson } from '../plan/plan-codec.ts'

/** Loads a pipeline from a TypeScript or JavaScript file whose default export it is, or from a plan in JSON. */
export async function loadPipeline(path: string): Promise<PipelinePlan> {
  const file = resolve(path)
  const plan = file.endsWith('.json') ? planFromJson(await readText(file, path)) : await importPipeline(file, path)
  assertPlan(plan)
  return plan
}

/** The same pipeline over another source. */
export function withSource(plan: PipelinePlan, source: SourceSpec): PipelinePlan {
  return { ...plan, queries: plan.queries.map((query) => ({ ...query, root: replaceSource(query.root, source) })) }
}

/** The same pipeline with its file sinks below another folder, each in `<folder>/<name of the sink's own folder>`. */
export function withOutput(plan: PipelinePlan, folder: string): PipelinePlan {
  const moved = (sink: SinkSpec): SinkSpec =>
    hasPath(sink) ? { ...sink, path: resolve(folder, lastPart(sink.path)) } : sink
  return { ...plan, queries: plan.queries.map((query) => ({ ...query, sinks: query.sinks.map(moved) })) }
}

/** A pipeline file may lie anywhere: what it calls `millrace` is this very program. */
function resolveOwnName(): void {
  registerHooks({
    resolve(specifier, context, nextResolve) {
      const own = specifier === 'millrace' ? new URL('../index.ts', import.meta.url).href : specifier
      return nextResolve(own, context)
    },
  })
}

async function importPipeline(file: string, path: string): Promise<PipelinePlan> {
  await readText(file, path)
  resolveOwnName()
  let loaded: { default?: unknown }
  try {
    loaded = (await import(pathToFileURL(file).href)) as { default?: unknown }
  } catch (error) {
    if (error instanceof MillraceError) throw error
    const message = error instanceof Error ? `${error.name}: ${error.message}` : String(error)
    throw new MillraceError('invalid-plan', `${path} cannot be loaded: ${message}`, {
      hint: 'a pipeline file is a module that runs on its own; `import ... from "millrace"` is the only import it needs',
      cause: error,
    })
  }
  if (looksLikePlan(loaded.default)) return loaded.default
  throw new MillraceError('invalid-plan', `${path} does not export a pipeline by default`, {
    hint: 'end it with `export default pipeline("name").query(...)`',
  })
}

async function readText(file: string, path: string): Promise<string> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = systemErrorCode(error)
    const what =
      code === 'ENOENT' ? `there is no file "${path}"` : `"${path}" cannot be read (${code ?? String(error)})`
    throw new MillraceError('invalid-option', what, {
      hint: 'name a pipeline file (.ts, .js) or a plan (.json)',
      cause: error,
    })
  }
}

function looksLikePlan(value: unknown): value is PipelinePlan {
  return typeof value === 'object' && value !== null && 'millracePlan' in value && 'queries' in value
}

function replaceSource(node: QueryNode, source: SourceSpec): QueryNode {
  if (node.kind === 'source') return { ...node, source }
  return { ...node, input: replaceSource(node.input, source) }
}

function hasPath(sink: SinkSpec): sink is FileSinkSpec {
  return sink.kind === 'parquet' || sink.kind === 'csv' || sink.kind === 'json'
}

function lastPart(path: string): string {
  return path.split('/').filter(Boolean).at(-1) ?? 'output'
}
