import assert from 'node:assert/strict'
import type { WasmModule } from '../../src/batch/wasm-module.ts'
import { loadDecoderModule } from '../../src/job/decoder-module.ts'

/** The decoder's module; `npm run bench` has built it. */
export function loadedModule(): WasmModule {
  const module = loadDecoderModule((problem) => assert.fail(problem))
  assert.ok(module)
  return module
}
