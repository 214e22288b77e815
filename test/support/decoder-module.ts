import assert from 'node:assert/strict'
import type { WasmModule } from '../../src/batch/wasm-module.ts'
import { loadDecoderModule } from '../../src/job/decoder-module.ts'

/** The decoder's module, which `npm test` has built; a test without it would not say anything about the default decoder. */
export const DECODER_MODULE: WasmModule = loaded()

function loaded(): WasmModule {
  const module = loadDecoderModule((problem) => assert.fail(`${problem}: npm run build:wasm`))
  assert.ok(module !== undefined)
  return module
}
