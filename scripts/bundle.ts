// `node scripts/bundle.ts FOLDER`: the command in few files instead of four hundred, for who starts it a thousand times (`npm run chaos`): half of
// what a start takes is finding modules. Beside `dist/wasm` it finds what it needs as `dist/src` does.

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { build } from 'vite'

const ROOT = join(import.meta.dirname, '..')
/** Beside each other, as threads and the command look for each other by name; and where pipelines find `millrace`. */
const ENTRIES = { main: 'cli/main', 'data-worker-entry': 'job/data-worker-entry', library: 'index' }

const {
  positionals: [folder = ''],
} = parseArgs({ allowPositionals: true })
await build({
  root: ROOT,
  configFile: false,
  logLevel: 'error',
  build: {
    ssr: true,
    outDir: join(folder, 'cli'),
    target: 'node22',
    minify: false,
    rolldownOptions: {
      input: Object.fromEntries(Object.entries(ENTRIES).map(([name, path]) => [name, join(ROOT, 'src', `${path}.ts`)])),
      output: { entryFileNames: '[name].js', chunkFileNames: '[name]-[hash].js' },
    },
  },
})
mkdirSync(folder, { recursive: true })
writeFileSync(join(folder, 'index.js'), "export * from './cli/library.js'\n")
