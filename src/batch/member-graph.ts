import { type FieldColumn, ValueKind } from './field-column.ts'
import { CLOSE_BRACE, COLON, COMMA, type JsonScanner, OPEN_BRACE, QUOTE, WORD_NULL } from './json-scanner.ts'
import { type MemberTable, UNKNOWN_MEMBER } from './member-table.ts'

/** What to do with what follows an edge's literal. */
export const Operation = {
  /** The object is closed. */
  end: 0,
  /** The literal holds the whole value: null. */
  nothing: 1,
  /** Behind the opening quote of a string ... */
  text: 2,
  uuid: 3,
  isoTime: 4,
  skipString: 5,
  /** At the first byte of a value ... */
  number: 6,
  boolean: 7,
  json: 8,
  rest: 9,
  skip: 10,
} as const

/**
 * Bytes that stand between two values: `,"page_url":"` up to the content of a string, `,"amount":` up to another value,
 * `,"referrer":null`, or `}`. Whoever meets them again at the same place need not look at them closer.
 */
export interface Edge {
  /** The literal as little-endian words, then what is left of it, as a word under a mask. */
  words: Int32Array
  tail: number
  tailMask: number
  length: number
  /** What the byte behind the literal must begin; `any` when that does not matter. */
  valueClass: number
  /** Where the name's opening quote stands in the literal. */
  nameStart: number
  operation: number
  /** The column to fill; undefined when no field reads the value. */
  column: FieldColumn | undefined
  next: Node
  hits: number
}

/** A place in events: behind the value of one member, or at the beginning. */
export interface Node {
  /** Most hit first. */
  readonly edges: Edge[]
  misses: number
}

const EDGES_MAX = 6
/** A node whose edges are all taken replaces the least hit one after this many misses. */
const MISSES_PER_REPLACEMENT = 1024
/** Longest literal that is learned; as many bytes behind a row must be readable. */
export const LITERAL_BYTES_MAX = 48

/**
 * What tends to follow what in the input, learned from it. Producers write members in a few fixed orders, so a comparison
 * of a few words usually stands for finding the next name, its colon and the kind of its value.
 *
 *     start --{"event_id":"--> event_id --,"amount":--> amount --}--> end
 *                                 \-----,"amount":null--> amount
 *
 * An edge is only made of bytes that were parsed, so it accepts nothing that the parser would not.
 */
export class MemberGraph {
  readonly start: Node = { edges: [], misses: 0 }
  readonly #scanner: JsonScanner
  readonly #members: MemberTable
  readonly #columns: readonly FieldColumn[]
  readonly #collectRest: boolean
  readonly #nodes: Node[] = []
  /** Where names without a number lead to. */
  readonly #unnumbered: Node = { edges: [], misses: 0 }
  readonly #parsed: Edge

  constructor(scanner: JsonScanner, members: MemberTable, columns: readonly FieldColumn[]) {
    this.#scanner = scanner
    this.#members = members
    this.#columns = columns
    this.#collectRest = columns.some((column) => column.kind === ValueKind.rest)
    this.#parsed = emptyEdge(this.start)
  }

  /** The edge whose literal stands at `at`; undefined when something unusual does. The edge is valid until the next call. */
  follow(node: Node, at: number): Edge | undefined {
    const { view, bytes } = this.#scanner
    const { edges } = node
    for (let index = 0; index < edges.length; index++) {
      const edge = edges[index]
      if (!matches(edge, view, bytes, at)) continue
      edge.hits++
      if (index > 0 && edge.hits > edges[index - 1].hits) {
        edges[index] = edges[index - 1]
        edges[index - 1] = edge
      }
      return edge
    }
    return this.#parse(node, at)
  }

  #parse(node: Node, from: number): Edge | undefined {
    const scanner = this.#scanner
    const { bytes } = scanner
    const first = node === this.start
    let at = scanner.space(from)
    const opened = bytes[at] === (first ? OPEN_BRACE : COMMA)
    if (opened) at = scanner.space(at + 1)
    else if (first) return undefined
    if (bytes[at] === CLOSE_BRACE && opened === first) return this.#end(node, from, at + 1)
    if (!opened || bytes[at] !== QUOTE) return undefined
    const nameEnd = scanner.plainEnd(at + 1)
    if (bytes[nameEnd] !== QUOTE) return undefined
    const colonAt = scanner.space(nameEnd + 1)
    if (bytes[colonAt] !== COLON) return undefined
    const code = this.#members.code(scanner.view, at + 1, nameEnd - at - 1)
    const edge = this.#parsed
    edge.nameStart = at - from
    edge.next = code < 0 ? this.#unnumbered : this.#node(code)
    const valueAt = scanner.space(colonAt + 1)
    if (!this.#choose(edge, this.#members.field(code), valueAt)) return undefined
    edge.length = valueAt + literalPart(edge.operation) - from
    return this.#learn(node, edge, from)
  }

  #end(node: Node, from: number, end: number): Edge {
    const edge = this.#parsed
    edge.operation = Operation.end
    edge.column = undefined
    edge.valueClass = ValueClass.any
    edge.nameStart = 0
    edge.next = this.start
    edge.length = end - from
    return this.#learn(node, edge, from)
  }

  /** Sets what to do with the value at `at`. False when the field does not take it, or it is none. */
  #choose(edge: Edge, fieldIndex: number, at: number): boolean {
    const valueClass = VALUE_CLASSES[this.#scanner.bytes[at]]
    const column = fieldIndex < 0 ? undefined : this.#columns[fieldIndex]
    edge.column = column
    edge.operation = OPERATION_NONE
    if (column === undefined) {
      edge.operation = fieldIndex === UNKNOWN_MEMBER && this.#collectRest ? Operation.rest : SKIP_OPERATIONS[valueClass]
    } else if (valueClass === ValueClass.null) {
      edge.operation = Operation.nothing
    } else if (column.kind === ValueKind.json) {
      edge.operation = Operation.json
    } else if (FIELD_CLASSES[column.kind] === valueClass) {
      edge.operation = FIELD_OPERATIONS[column.kind]
    }
    edge.valueClass = literalPart(edge.operation) > 0 ? ValueClass.any : valueClass
    if (edge.operation === Operation.nothing) return this.#scanner.view.getInt32(at, true) === WORD_NULL
    return valueClass !== ValueClass.any && edge.operation !== OPERATION_NONE
  }

  #node(code: number): Node {
    while (this.#nodes.length <= code) this.#nodes.push({ edges: [], misses: 0 })
    return this.#nodes[code]
  }

  /** Keeps a copy of the parsed edge, if there is room for one more and its literal is short and ASCII. */
  #learn(node: Node, parsed: Edge, from: number): Edge {
    const { edges } = node
    const full = edges.length === EDGES_MAX
    if (parsed.length > LITERAL_BYTES_MAX || (full && ++node.misses < MISSES_PER_REPLACEMENT)) return parsed
    const { view, bytes } = this.#scanner
    for (let at = from; at < from + parsed.length; at++) if (bytes[at] >= 0x80) return parsed
    node.misses = 0
    if (full) {
      edges.pop()
      for (const edge of edges) edge.hits >>= 1
    }
    const words = Int32Array.from({ length: parsed.length >> 2 }, (_, index) => view.getInt32(from + 4 * index, true))
    const tailMask = (1 << ((parsed.length & 3) << 3)) - 1
    const tail = view.getInt32(from + 4 * words.length, true) & tailMask
    const edge = { ...parsed, words, tail, tailMask, hits: 1 }
    edges.push(edge)
    return edge
  }
}

/** Hot: whether an edge's literal stands at `at`, and behind it a value of its class. */
function matches(edge: Edge, view: DataView, bytes: Uint8Array, from: number): boolean {
  const { words } = edge
  let at = from
  for (let index = 0; index < words.length; index++, at += 4) {
    if (view.getInt32(at, true) !== words[index]) return false
  }
  if (((view.getInt32(at, true) ^ edge.tail) & edge.tailMask) !== 0) return false
  return edge.valueClass === ValueClass.any || VALUE_CLASSES[bytes[from + edge.length]] === edge.valueClass
}

/** How many bytes of a value belong to the literal: the opening quote of a string that is read, or all of `null`. */
function literalPart(operation: number): number {
  if (operation === Operation.nothing) return 4
  return operation >= Operation.text && operation <= Operation.skipString ? 1 : 0
}

function emptyEdge(next: Node): Edge {
  return {
    words: new Int32Array(0),
    tail: 0,
    tailMask: 0,
    length: 0,
    valueClass: ValueClass.any,
    nameStart: 0,
    operation: OPERATION_NONE,
    column: undefined,
    next,
    hits: 0,
  }
}

const OPERATION_NONE = -1

/** What a value is, by its first byte. */
const ValueClass = { any: 0, string: 1, number: 2, boolean: 3, null: 4, nested: 5 } as const

const VALUE_CLASSES = new Uint8Array(256)
for (const [characters, valueClass] of [
  ['"', ValueClass.string],
  ['-0123456789', ValueClass.number],
  ['tf', ValueClass.boolean],
  ['n', ValueClass.null],
  ['{[', ValueClass.nested],
] as const) {
  for (const character of characters) VALUE_CLASSES[character.charCodeAt(0)] = valueClass
}

/** By value class: how to skip a value. */
const SKIP_OPERATIONS: readonly number[] = [
  OPERATION_NONE,
  Operation.skipString,
  Operation.skip,
  Operation.skip,
  Operation.nothing,
  Operation.skip,
]

/** By the field's kind: the class of values that it takes, and how it reads them. */
const FIELD_CLASSES: readonly number[] = [
  ValueClass.string,
  ValueClass.string,
  ValueClass.string,
  ValueClass.number,
  ValueClass.boolean,
]
const FIELD_OPERATIONS: readonly number[] = [
  Operation.text,
  Operation.uuid,
  Operation.isoTime,
  Operation.number,
  Operation.boolean,
]
