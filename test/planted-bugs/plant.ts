/**
 * Loaded before everything else (`--import`): a module that MILLRACE_PLANTED_BUG names is handed out with the bug in it. Child processes
 * inherit the variable and, through NODE_OPTIONS, this file.
 */
import { registerHooks } from 'node:module'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { assert } from '../../src/base/assert.ts'
import { PLANTED_BUGS } from './bugs.ts'
import { spoil } from './spoil.ts'

const bug = PLANTED_BUGS.find(({ name }) => name === process.env['MILLRACE_PLANTED_BUG'])
assert(bug, `there is a planted bug "${process.env['MILLRACE_PLANTED_BUG']}"`)
const target = pathToFileURL(join(import.meta.dirname, '../..', bug.file)).href

registerHooks({
  load(url, context, next) {
    const loaded = next(url, context)
    if (url !== target) return loaded
    return { ...loaded, source: spoil(String(loaded.source), bug) }
  },
})
