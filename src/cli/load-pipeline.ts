import { readFile } from 'node:fs/promises'
import { registerHooks } from 'node:module'
import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { assertPlan } from '../plan/check.ts'
import { nameHint } from '../plan/nearest-name.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { planFromJson } from '../plan/plan-codec.ts'
import { LIBRARY_URL } from './own-files.ts'

/** Names of files that Node loads as modules. */
const CODE = /\.[cm]?[jt]s$/

/** Loads a pipeline from a TypeScript or JavaScript file whose default export it is, or from a plan in JSON. */
export async function loadPipeline(path: string): Promise<PipelinePlan> {
  const file = resolve(path)
  const isPlan = file.endsWith('.json')
  if (!isPlan && !CODE.test(file)) throw await noPipeline(file, path)
  const plan = isPlan ? planFromJson(await readText(file, path)) : await importPipeline(file, path)
  assertPlan(plan)
  return plan
}

/**
 * A pipeline file may lie anywhere: what it calls `millrace` is this very program. Its TypeScript is modules even where a package.json says
 * `"type": "commonjs"`, as those of `npm init` do.
 */
function resolveOwnName(): void {
  registerHooks({
    resolve: (specifier, context, nextResolve) => {
      const found = nextResolve(specifier === 'millrace' ? LIBRARY_URL : specifier, context)
      return found.format === 'commonjs-typescript' ? { ...found, format: 'module-typescript' } : found
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
    throw await loadError(error, file, path)
  }
  if (looksLikePlan(loaded.default)) return loaded.default
  throw new MillraceError('invalid-plan', `${path} does not export a pipeline by default`, {
    hint: 'end it with `export default pipeline("name").query(...)`',
  })
}

async function loadError(error: unknown, file: string, path: string): Promise<MillraceError> {
  const { name, message, stack } = error instanceof Error ? error : { name: 'Error', message: String(error), stack: '' }
  const line = lineIn(stack ?? '', file)
  const what = `${path}${line === undefined ? '' : `:${line}`} cannot be loaded: ${name}: ${message}`
  return new MillraceError('invalid-plan', what, { hint: await loadHint(name, message, error), cause: error })
}

async function loadHint(name: string, message: string, error: unknown): Promise<string> {
  const missing = /module 'millrace' does not provide an export named '(.{1,100})'/.exec(message)?.[1]
  if (missing !== undefined) return nameHint(missing, Object.keys((await import(LIBRARY_URL)) as object))
  if (systemErrorCode(error) === 'ERR_MODULE_NOT_FOUND') {
    return 'install the package beside the pipeline or correct the path; "millrace" itself is always there'
  }
  if (/import statement outside a module|Unexpected token 'export'/.test(message)) {
    return 'a package.json says that this is CommonJS: name the file .ts or .mjs, or say "type": "module" there'
  }
  if (name === 'SyntaxError') return 'correct it there; types are taken away, so enums and the like are not understood'
  return 'the file itself failed while it was loaded: correct it there'
}

/** The first line of the file that a stack trace, or the message of the parser, names. */
function lineIn(stack: string, file: string): string | undefined {
  const at = stack.indexOf(`${file}:`)
  return at < 0 ? undefined : /^\d{1,7}/.exec(stack.slice(at + file.length + 1))?.[0]
}

/** Events are easily named where the pipeline belongs. */
async function noPipeline(file: string, path: string): Promise<MillraceError> {
  await readText(file, path)
  return new MillraceError('invalid-option', `"${path}" is no pipeline file`, {
    hint: 'name a pipeline file (.ts, .js) or a plan (.json); files with events are named by fileSource() there, or with --input',
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
