import { glob, open, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { crc32c } from '../base/crc32c.ts'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { readFully, withFile } from '../base/file-io.ts'
import { nodeFileSystem } from '../base/file-system.ts'

const FINGERPRINT_BYTES = 64 * 1024

/**
 * Real paths of the files that paths and patterns (`*`, `**`, `?`, `[...]`, `{a,b}`) mean, each once, sorted. Throws one
 * `invalid-option` that names everything that is missing or cannot be read.
 */
export async function findInputFiles(paths: readonly string[], workingFolder: string): Promise<string[]> {
  const files = new Set<string>()
  const problems: string[] = []
  for (const path of paths) {
    const found = await matches(path, workingFolder)
    if (found.length === 0) problems.push(`no file matches "${path}"`)
    for (const one of found) {
      const file = await inputFile(one)
      if (file.problem === undefined) files.add(file.path)
      else problems.push(file.problem)
    }
  }
  if (problems.length > 0) {
    throw new MillraceError('invalid-option', problems.join('; '), {
      hint: `check the paths; relative ones start at ${workingFolder}`,
    })
  }
  return [...files].sort()
}

/** What a file is recognised by: its size, and a checksum of the beginning. A file that was replaced has other offsets. */
export async function fileFingerprint(path: string): Promise<string> {
  return withFile(path, nodeFileSystem, async (file) => {
    const beginning = await readFully(file, path, 0, FINGERPRINT_BYTES)
    return `${await file.size()}-${crc32c(beginning).toString(16)}`
  })
}

/** Absolute paths. A name that exists is not a pattern, whatever it looks like; a pattern means files only. */
async function matches(path: string, workingFolder: string): Promise<string[]> {
  const literal = resolve(workingFolder, path)
  if (!/[*?[\]{}]/.test(path) || (await kindOf(literal)) !== 'nothing') return [literal]
  const found: string[] = []
  for await (const match of glob(path, { cwd: workingFolder })) {
    const one = resolve(workingFolder, match)
    if ((await kindOf(one)) !== 'folder') found.push(one)
  }
  return found
}

type InputFile = { readonly path: string; readonly problem?: undefined } | { readonly problem: string }

async function inputFile(path: string): Promise<InputFile> {
  const kind = await kindOf(path)
  if (kind === 'nothing') return { problem: `there is no file "${path}"` }
  if (kind === 'folder') return { problem: `"${path}" is a folder (name its files: "${join(path, '*.ndjson')}")` }
  if (kind === 'other') return { problem: `"${path}" is a pipe or a device (read it as "-", standard input)` }
  try {
    const real = await realpath(path)
    await (await open(real, 'r')).close()
    return { path: real }
  } catch (error) {
    return { problem: `"${path}" cannot be read (${systemErrorCode(error) ?? String(error)})` }
  }
}

async function kindOf(path: string): Promise<'file' | 'folder' | 'other' | 'nothing' | 'unknown'> {
  try {
    const stats = await stat(path)
    return stats.isFile() ? 'file' : stats.isDirectory() ? 'folder' : 'other'
  } catch (error) {
    const code = systemErrorCode(error)
    return code === 'ENOENT' || code === 'ENOTDIR' ? 'nothing' : 'unknown'
  }
}
