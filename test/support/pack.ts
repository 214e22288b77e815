import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { copyFileSync, cpSync, mkdirSync } from 'node:fs'
import { join } from 'node:path'

const ROOT = join(import.meta.dirname, '..', '..')
const PROGRAM_TIMEOUT_MS = 180_000

/** Makes the package in `folder` from the sources as they are now; the paths in it. */
export function pack(folder: string): string[] {
  const stage = join(folder, 'stage')
  mkdirSync(join(stage, 'dist'), { recursive: true })
  run(process.execPath, ['scripts/launch.cjs', 'build'])
  for (const built of ['dist/src', 'dist/web', 'dist/wasm'])
    cpSync(join(ROOT, built), join(stage, built), { recursive: true })
  cpSync(join(ROOT, 'bin'), join(stage, 'bin'), { recursive: true })
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md', 'LICENSE', 'NOTICE', 'sbom.cdx.json']) {
    copyFileSync(join(ROOT, name), join(stage, name))
  }
  const output = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', folder], stage)
  return packedPaths(output)
}

/** The paths in what `npm pack --json` tells. */
export function packedPaths(output: string): string[] {
  return (JSON.parse(output) as { files: { path: string }[] }[]).flatMap(({ files }) => files.map(({ path }) => path))
}

/** What a program writes to stdout; throws with everything that it said when it fails. */
export function run(program: string, args: readonly string[], cwd: string = ROOT): string {
  const { error, status, stderr, stdout } = spawnSync(program, args, {
    cwd,
    encoding: 'utf8',
    timeout: PROGRAM_TIMEOUT_MS,
  })
  if (error !== undefined) throw error
  assert.equal(status, 0, `${program} ${args.join(' ')}\n${stdout}${stderr}`)
  return stdout
}
