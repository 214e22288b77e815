import { spawn } from 'node:child_process'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { PlantedBug } from './planted-bug.ts'

/** How a test file judges a program. */
export interface Trial {
  /** Names of tests that failed. */
  readonly failed: readonly string[]
  readonly passed: number
  /** It failed without running a test, such as by an error on loading: that proves nothing. */
  readonly broken: boolean
}

const ROOT = join(import.meta.dirname, '../..')

/** Runs a test file against the program with a bug in it, or as it is. */
export async function tryOut(testFile: string, bug: PlantedBug | undefined): Promise<Trial> {
  // The bug is planted in a source file: what was bundled before does not have it.
  const { NODE_TEST_CONTEXT, MILLRACE_TEST_BUNDLE, NODE_OPTIONS = '', ...env } = process.env
  const plant = `--import ${pathToFileURL(join(import.meta.dirname, 'plant.ts')).href}`
  const child = spawn(process.execPath, ['--test', '--test-reporter=tap', testFile], {
    cwd: ROOT,
    env: { ...env, ...(bug && { MILLRACE_PLANTED_BUG: bug.name, NODE_OPTIONS: `${NODE_OPTIONS} ${plant}` }) },
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let output = ''
  child.stdout.on('data', (bytes: Buffer) => {
    output += bytes.toString()
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  })
  const failed = [...output.matchAll(/^ *not ok \d+ - (.*)$/gm)].map((match) => plainName(match[1] ?? ''))
  const passed = [...output.matchAll(/^ *ok \d+ - /gm)].length
  const named = failed.filter((name) => !name.endsWith(testFile))
  return { failed: named, passed, broken: code !== 0 && named.length === 0 }
}

/** TAP puts a backslash before `#` and `\`. */
function plainName(name: string): string {
  return name.replace(/\\([#\\])/g, '$1')
}
