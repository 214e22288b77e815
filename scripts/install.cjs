'use strict'

const { spawnSync } = require('node:child_process')
const { existsSync, readFileSync } = require('node:fs')
const { join } = require('node:path')

/**
 * Says whether node_modules holds exactly what package-lock.json asks for.
 *
 * npm leaves its own account of what it installed in node_modules/.package-lock.json, as its last act; both files name
 * each package with version and hash. Packages that are optional may be absent (they are for other platforms).
 */
function packagesFit(root) {
  const wanted = readPackages(join(root, 'package-lock.json'))
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'))
  if (wanted === undefined || installed === undefined) return false
  for (const [path, entry] of wanted) {
    const found = installed.get(path)
    if (found === undefined ? !entry.optional : !samePackage(entry, found)) return false
  }
  return [...installed.keys()].every((path) => wanted.has(path) && existsSync(join(root, path, 'package.json')))
}

/** Runs `npm ci`, with development and optional packages whatever the environment says, and without their scripts. */
function installPackages(root) {
  process.stderr.write('millrace: installing packages (npm ci), about half a minute\n')
  const args = ['ci', '--ignore-scripts', '--include=dev', '--include=optional']
  const npm = process.env.npm_execpath
  const [program, programArgs] = npm?.endsWith('.js') ? [process.execPath, [npm, ...args]] : ['npm', args]
  const { error, status } = spawnSync(program, programArgs, { cwd: root, stdio: ['ignore', 2, 2] })
  if (error !== undefined) throw new Error(`npm does not start: ${error.message}`)
  if (status !== 0) throw new Error('`npm ci` failed, see above; it needs the package registry once')
}

function readPackages(file) {
  try {
    const packages = new Map(Object.entries(JSON.parse(readFileSync(file, 'utf8')).packages))
    packages.delete('')
    return packages
  } catch {
    return undefined // Missing, or cut off: as good as not installed.
  }
}

function samePackage(a, b) {
  return a.version === b.version && a.integrity === b.integrity
}

module.exports = { installPackages, packagesFit }
