#!/usr/bin/env node
// The command `millrace`. Plain JavaScript for Node 20: where the Node that was called does not run TypeScript, this file
// runs itself again on one that does. The program proper is src/cli/main.ts, which starts when it is imported.

import { existsSync } from 'node:fs'
import module from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { endWithParent, findNode, NO_NODE_MESSAGE, NOT_BUILT_MESSAGE, runInstead, runsTypeScript } from './run-node.js'

const chosen = endWithParent() // Whatever this Node can or cannot do, there is no better one.
if (chosen || runsTypeScript()) {
  // Types are stripped once, not at each start: before anything is imported, and in the environment, where threads find it.
  process.env.NODE_COMPILE_CACHE ??= join(tmpdir(), 'node-compile-cache')
  module.enableCompileCache?.()
  const inCheckout = new URL('../src/cli/main.ts', import.meta.url)
  const inPackage = new URL('../dist/src/cli/main.js', import.meta.url) // Node strips no types inside node_modules.
  if (existsSync(inCheckout)) await import(inCheckout)
  else if (existsSync(inPackage)) await import(inPackage)
  else fail(NOT_BUILT_MESSAGE)
} else {
  const node = findNode(import.meta.url)
  if (node === undefined) fail(NO_NODE_MESSAGE)
  else await runInstead(node, [fileURLToPath(import.meta.url), ...process.argv.slice(2)], { ownGroup: true })
}

function fail(message) {
  process.stderr.write(message)
  process.exitCode = 3
}
