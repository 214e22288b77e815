import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { parseEnv } from 'node:util'
import { MillraceError, systemErrorCode } from '../../base/error.ts'
import { keepSecrets } from '../../base/redact.ts'

/** The environment that this process was started with. */
export const STARTED_WITH: Readonly<NodeJS.ProcessEnv> = { ...process.env }

/** What `.env` in a folder says; nothing when there is none. */
export async function readEnvFile(folder: string): Promise<ReadonlyMap<string, string>> {
  const path = join(folder, '.env')
  try {
    const values = parseEnv(await readFile(path, 'utf8'))
    return new Map(Object.entries(values).filter((entry): entry is [string, string] => Boolean(entry[1])))
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT') return new Map()
    throw new MillraceError('invalid-option', `${path} cannot be read (${systemErrorCode(error) ?? String(error)})`, {
      hint: 'make it a readable file with lines of NAME=value, or remove it',
      cause: error,
    })
  }
}

/**
 * Adds what `.env` says to the environment, for pipelines that look there. What is there already stays. What is a secret by its name
 * is hidden from now on.
 */
export async function loadEnvFile(folder: string, env: NodeJS.ProcessEnv): Promise<void> {
  keepSecrets(Object.entries(env))
  const added = await readEnvFile(folder)
  keepSecrets(added)
  for (const [name, value] of added) env[name] ??= value
}
