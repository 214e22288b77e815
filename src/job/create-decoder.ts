import type { Decoder, DecoderOptions } from '../batch/json-decoder.ts'
import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import { createWasmDecoder } from '../batch/wasm-decoder.ts'
import type { WasmModule } from '../batch/wasm-module.ts'

/** The fast decoder where its module is there, else the scalar one. */
export function createDecoder(options: DecoderOptions, module: WasmModule | undefined): Decoder {
  return module ? createWasmDecoder(options, module) : createScalarDecoder(options)
}
