/** What `src/batch/wasm/index.ts` exports; addresses are byte offsets into the memory. See there and in the files it names. */
export interface DecoderExports {
  prepare(seed: number): void
  prepareColumns(statuses: number, errors: number, errorFields: number): void
  prepareRows(
    rowsMax: number,
    offsets: number,
    recordTimes: number,
    valueStarts: number,
    valueLengths: number,
    unreadRows: number,
  ): void
  prepareMembers(knownMax: number, collectRest: boolean): number
  prepareRest(starts: number, lengths: number): void
  addColumn(operation: number, values: number, extra: number): number
  addMember(name: number, length: number, column: number): void
  createDictionary(): number
  resetDictionary(dictionary: number): void
  dictionarySize(dictionary: number): number
  dictionaryByteLength(dictionary: number): number
  entryBlock(dictionary: number, index: number): number
  arenaBlock(dictionary: number, index: number): number
  reserve(bytes: number): number
  beginPool(): void
  freeBlocks(): number
  beginBatch(input: number, length: number, texts: number, rests: number): void
  readLines(input: number, length: number, baseOffset: number, fromOffset: number, toOffset: number): number
  readRecords(
    input: number,
    length: number,
    recordCount: number,
    baseOffset: number,
    fromOffset: number,
    toOffset: number,
    baseTimestamp: number,
    appendTimestamp: number,
  ): number
  damagedPosition(): number
  offsetBehind(): number
  unreadRowCount(): number
  internColumn(dictionary: number, base: number, starts: number, lengths: number, codes: number, rowCount: number): void
  internRows(
    dictionary: number,
    base: number,
    starts: number,
    lengths: number,
    codes: number,
    rows: number,
    count: number,
  ): void
  prepareNewTexts(list: number): void
  internNewTexts(): void
  readonly textAt: { readonly value: number }
  readonly restAt: { readonly value: number }
}

/** A compiled WebAssembly module. */
export type WasmModule = object

/** The decoder's module with a memory of its own. */
export interface DecoderInstance {
  readonly buffer: ArrayBuffer
  readonly exports: DecoderExports
}

const PAGE_BYTES = 1 << 16

/** Instantiates the decoder's module with a memory of a fixed size: growing would detach every view. */
export function instantiateDecoder(module: WasmModule, memoryBytes: number): DecoderInstance {
  const pages = Math.ceil(memoryBytes / PAGE_BYTES)
  const memory = new WebAssembly.Memory({ initial: pages, maximum: pages })
  const instance = new WebAssembly.Instance(module, { env: { memory } })
  return { buffer: memory.buffer, exports: instance.exports as DecoderExports }
}

/** The part of the platform's WebAssembly that is used here; the standard library of the language has no types for it. */
declare const WebAssembly: {
  readonly Memory: new (limits: { initial: number; maximum: number }) => { readonly buffer: ArrayBuffer }
  readonly Instance: new (module: WasmModule, imports: object) => { readonly exports: object }
}
