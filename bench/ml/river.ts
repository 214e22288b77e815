import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { FEATURES, type Rows } from './gaussian.ts'
import { L2 } from './learning.ts'

/** What River took for its rows. */
export interface RiverRun {
  readonly ns: number
  readonly cpuNs: number
  readonly loss: number
}

const PYTHON = process.env['MILLRACE_PYTHON'] ?? 'python3'
const PROGRAM = join(import.meta.dirname, '..', 'peers', 'online_model.py')

/** Version of River that Python has, if it has it. `MILLRACE_PYTHON` names another Python. */
export function riverVersion(): string | undefined {
  try {
    const script = 'import river; print(river.__version__)'
    return execFileSync(PYTHON, ['-c', script], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim()
  } catch {
    return undefined
  }
}

/** Does the same work with River, so often; it gets the same rows. */
export function runRiver({ values, labels }: Rows, count: number, runs: number): RiverRun[] {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-river-'))
  try {
    const paths = [join(folder, 'values'), join(folder, 'labels')] as const
    writeFileSync(paths[0], new Uint8Array(values.buffer, 0, count * FEATURES * 8))
    writeFileSync(paths[1], labels.subarray(0, count))
    const args = [PROGRAM, ...paths, String(FEATURES), String(count), String(L2)]
    return Array.from({ length: runs }, () => JSON.parse(execFileSync(PYTHON, args, { encoding: 'utf8' })) as RiverRun)
  } finally {
    rmSync(folder, { recursive: true })
  }
}
