import { existsSync, readFileSync } from 'node:fs'
import { wasmFiles } from '../base/wasm-file.ts'
import type { WasmModule } from '../batch/wasm-module.ts'

const FILES = wasmFiles('decoder.wasm')

/**
 * The decoder's WebAssembly module, compiled; undefined, and `report` told why, when the file is missing or this machine
 * does not run it. Everything then works as well, only slower.
 */
export function loadDecoderModule(
  report: (problem: string) => void,
  files: readonly URL[] = FILES,
): WasmModule | undefined {
  const file = files.find((url) => existsSync(url))
  if (file === undefined) {
    report('the WebAssembly decoder is not built')
    return undefined
  }
  try {
    return new WebAssembly.Module(readFileSync(file))
  } catch (error) {
    report(`the WebAssembly decoder does not run here: ${error instanceof Error ? error.message : error}`)
    return undefined
  }
}

/** The standard library of the language has no types for it. */
declare const WebAssembly: { readonly Module: new (bytes: Uint8Array) => WasmModule }
