import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { MillraceError, systemErrorCode } from '../../base/error.ts'
import type { SettingName } from './settings.ts'

/** The file that is read when it is there and no other one is named. */
export const CONFIG_FILE = 'millrace.yaml'

/** What a configuration file says. */
export interface ConfigFile {
  /** As a person names it. */
  readonly path: string
  readonly values: ReadonlyMap<SettingName, string | number>
  readonly problems: readonly string[]
}

/** Reads and checks a configuration file; `named` must be there. The parser and the checker are loaded only if there is one. */
export async function readConfigFile(folder: string, named: string | undefined): Promise<ConfigFile> {
  const path = named ?? CONFIG_FILE
  const text = await readText(resolve(folder, path), path, named !== undefined)
  if (text === undefined) return { path, values: new Map(), problems: [] }
  const [{ parseDocument }, { checkSettings }] = await Promise.all([import('yaml'), import('./config-schema.ts')])
  const document = parseDocument(text, { prettyErrors: true })
  const broken = document.errors[0]
  if (broken) {
    const where = broken.linePos?.[0]
    throw new MillraceError(
      'invalid-option',
      `${path} is not YAML${where ? ` (line ${where.line}, column ${where.col})` : ''}: ${firstLine(broken.message)}`,
      { hint: 'write lines such as `trigger: 1s`; `millrace config schema` describes the file to editors' },
    )
  }
  const { values, problems } = checkSettings(toData(document, path) ?? {})
  return { path, values, problems: problems.map((problem) => `${path}: ${problem}`) }
}

async function readText(file: string, path: string, required: boolean): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8')
  } catch (error) {
    const code = systemErrorCode(error)
    if (code === 'ENOENT' && !required) return undefined
    const what =
      code === 'ENOENT' ? `there is no file "${path}"` : `"${path}" cannot be read (${code ?? String(error)})`
    throw new MillraceError('invalid-option', what, {
      hint: 'name a configuration file in YAML with --config, or leave it out',
      cause: error,
    })
  }
}

/** Throws when aliases would blow the document up. */
function toData(document: { toJS(): unknown }, path: string): unknown {
  try {
    return document.toJS()
  } catch (error) {
    throw new MillraceError('invalid-option', `${path}: ${error instanceof Error ? error.message : String(error)}`, {
      hint: 'write each value out',
      cause: error,
    })
  }
}

/** Without the position, which is told already, and without the text around it. */
function firstLine(message: string): string {
  return (message.split('\n')[0] as string).replace(/ at line \d+, column \d+:?$/, '')
}
