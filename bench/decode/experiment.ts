import assert from 'node:assert/strict'
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'
import type { EncodedRecords } from '../../src/batch/encoded-records.ts'
import type { Field } from '../../src/batch/schema.ts'
import { type BatchContender, timed } from './contenders.ts'
import type { DataSet } from './data.ts'

/** Of the experiment, what is called here. */
interface ExperimentExports {
  readonly memory: { readonly buffer: ArrayBuffer }
  alloc(bytes: number): number
  setup(rowsMax: number, edgesMax: number): void
  addCol(type: number, name: number, length: number, slots: number): number
  frameNdjson(input: number, length: number, starts: number, ends: number, max: number): number
  decode(input: number, starts: number, ends: number, rows: number, status: number): number
}

declare const WebAssembly: {
  readonly Module: new (bytes: Uint8Array) => object
  readonly Instance: new (module: object, imports: object) => { readonly exports: unknown }
}

const ROWS_MAX = 1 << 13
const INPUT_BYTES_MAX = 1 << 20
const EDGES_MAX = 4
const SLOTS_FIRST = 64
const BASE = 1 << 18

/** The decoder of an earlier experiment, whose sources (`decoder.ts`, AssemblyScript) are in `folder`, over the same columns. */
export function experiment(folder: string, data: DataSet, fields: readonly Field[]): BatchContender {
  const decoder = new ExperimentDecoder(built(folder), fields)
  return timed('experiment', data, (records) => decoder.decode(records))
}

class ExperimentDecoder {
  readonly #exports: ExperimentExports
  readonly #input: number
  readonly #starts: number
  readonly #ends: number
  readonly #status: number
  #memory: Uint8Array

  constructor(wasm: Uint8Array, fields: readonly Field[]) {
    const hostNum = (at: number, length: number): number =>
      Number(Buffer.from(this.#exports.memory.buffer, at, length).toString('latin1'))
    const instance = new WebAssembly.Instance(new WebAssembly.Module(wasm), { env: { base: BASE, hostNum } })
    const exports = instance.exports as ExperimentExports
    this.#exports = exports
    exports.setup(ROWS_MAX, EDGES_MAX)
    this.#input = exports.alloc(INPUT_BYTES_MAX)
    this.#starts = exports.alloc(4 * ROWS_MAX)
    this.#ends = exports.alloc(4 * ROWS_MAX)
    this.#status = exports.alloc(ROWS_MAX)
    const name = exports.alloc(256)
    for (const field of fields) {
      const bytes = Buffer.from(field.from ?? field.name)
      new Uint8Array(exports.memory.buffer, name, 256).fill(0).set(bytes)
      exports.addCol(columnType(field), name, bytes.length, SLOTS_FIRST)
    }
    this.#memory = new Uint8Array(exports.memory.buffer)
  }

  decode({ bytes, recordCount }: EncodedRecords): number {
    const exports = this.#exports
    if (this.#memory.buffer !== exports.memory.buffer) this.#memory = new Uint8Array(exports.memory.buffer)
    this.#memory.set(bytes, this.#input)
    this.#memory.fill(0, this.#input + bytes.length, this.#input + bytes.length + 64)
    const rows = exports.frameNdjson(this.#input, bytes.length, this.#starts, this.#ends, ROWS_MAX)
    assert.equal(rows, recordCount)
    exports.decode(this.#input, this.#starts, this.#ends, rows, this.#status)
    return rows
  }
}

function columnType({ type, cardinality }: Field): number {
  if (type === 'string') return { low: 1, high: 7, unique: 2 }[cardinality ?? 'low']
  return { timestamp: 3, decimal: 4, int32: 5 }[type as string] ?? 0
}

/** Builds it as it was built, in a folder that is removed again. */
function built(folder: string): Uint8Array {
  const target = mkdtempSync(join(tmpdir(), 'millrace-experiment-'))
  try {
    const asc = resolve('node_modules/assemblyscript/bin/asc.js')
    const options = ['-O3', '--converge', '--runtime', 'stub', '--noAssert', '--use', 'abort=']
    const features = ['--enable', 'simd', '--enable', 'threads', '--enable', 'bulk-memory']
    const output = join(target, 'experiment.wasm')
    const arguments_ = [asc, 'decoder.ts', ...options, ...features, '-o', output]
    const { status, stderr } = spawnSync(process.execPath, arguments_, { cwd: folder, encoding: 'utf8' })
    assert.equal(status, 0, stderr)
    return readFileSync(output)
  } finally {
    rmSync(target, { recursive: true })
  }
}
