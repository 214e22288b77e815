// `node scripts/bundle.ts FOLDER`: the command and the library in few files instead of four hundred. Half of what a start takes is finding
// modules, and each worker thread finds them again. What is published is made so, and what `npm run chaos` and the tests start a thousand times.

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const SOURCES = join(import.meta.dirname, '..', 'src')
/** Beside each other, as threads and the command look for each other by name. */
const ENTRIES = {
  main: 'cli/main',
  'data-worker-entry': 'job/data-worker-entry',
  'load-worker-entry': 'cli/load-worker-entry',
  index: 'index',
  testing: 'testing',
}
/** What others import; the types are there too. */
const EXPORTED = ['index', 'testing']

const {
  positionals: [folder = ''],
} = parseArgs({ allowPositionals: true })
await build({
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: true, // For Node: packages stay where they are.
    outDir: join(folder, 'cli'),
    emptyOutDir: false,
    target: 'node22',
    minify: false,
    rolldownOptions: {
      input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(SOURCES, `${path}.ts`)])),
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
})
for (const name of EXPORTED) writeFileSync(join(folder, `${name}.js`), `export * from './cli/${name}.js'\n`)
