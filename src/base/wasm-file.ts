/** Where a module is that `scripts/build.cjs` compiles: beside the sources, or beside the published library. */
export function wasmFiles(name: string): readonly URL[] {
  return [`../../dist/wasm/${name}`, `../../wasm/${name}`].map((path) => new URL(path, import.meta.url))
}
