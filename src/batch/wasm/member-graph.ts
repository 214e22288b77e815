// What tends to follow what in the input, learned from it. Producers write members in a few fixed orders, so one comparison of
// 16 bytes usually stands for finding the next name, its colon and the kind of its value.
//
//     start --{"event_id":"--> event_id --,"amount":--> amount --}--> end
//                                 \-----,"amount":null--> amount
//
// An edge is only made of bytes that were parsed, so it accepts nothing that the parser would not.

import { CLOSE_BRACE, COLON, COMMA, OPEN_BRACE, QUOTE, WORD_NULL } from './characters'
import {
  createNode,
  EDGE_BIT,
  EDGE_BYTES,
  EDGE_CLASS,
  EDGE_EXTRA,
  EDGE_HITS,
  EDGE_LENGTH,
  EDGE_MASK,
  EDGE_NAME_START,
  EDGE_NEXT,
  EDGE_OPERATION,
  EDGE_VALUES,
  EDGES_MAX,
  edgeSlot,
  LITERAL_BYTES_MAX,
  NO_MASK,
  NODE_COUNT,
  NODE_MISSES,
  NODE_SCATTERED,
} from './graph-node'
import { plainEnd, space, stops } from './json-scan'
import { MEMBER_BIT, MEMBER_EXTRA, MEMBER_NODE, MEMBER_OPERATION, MEMBER_VALUES, knownMember, memberOf } from './member-table'
import { reserve } from './memory'
import { CLASS_ANY, classAt, END, NONE, NOTHING, operationFor, takesContent } from './operation'

/** After so many misses a full node replaces the edge that is hit least; is judged, by the hits meanwhile; is no longer scattered. */
const MISSES_PER_REPLACEMENT: u32 = 1024
const MISSES_PER_JUDGEMENT: u32 = 256
const HITS_MIN: u32 = 512
const MISSES_PER_SCATTERING: u32 = 1 << 16

/** `{"`, `,"` and `":` as little-endian numbers. */
const OPENING: u32 = 0x227b
const SEPARATOR: u32 = 0x222c
const NAME_END: u32 = 0x3a22

/** Where every row begins. */
export let startNode: usize = 0
/** The edge parsed last, valid until the next one. */
let parsed: usize = 0
/** An edge of which the literal is `}`. */
let closing: usize = 0

/** Makes a graph of one node, the one where rows begin. */
export function prepareGraph(): void {
  startNode = createNode()
  parsed = reserve(EDGE_BYTES)
  closing = reserve(EDGE_BYTES)
  store<u32>(closing, 1, EDGE_LENGTH)
  store<u32>(closing, END, EDGE_OPERATION)
  store<u32>(closing, startNode, EDGE_NEXT)
}

/** The edge of the node whose literal stands at `at`, whatever the value behind it is; 0 when something unusual does. */
@inline
export function follow(node: usize, at: usize): usize {
  const head = v128.load(at)
  const edge = <usize>load<u32>(edgeSlot(node, 0))
  if (!matches(edge, head, at)) return followFurther(node, at)
  store<u32>(edge, load<u32>(edge, EDGE_HITS) + 1, EDGE_HITS)
  return edge
}

/** As `follow`, for a place where the first edge of the node does not fit. */
function followFurther(node: usize, at: usize): usize {
  const head = v128.load(at)
  const count = load<u32>(node, NODE_COUNT)
  for (let index: u32 = 1; index < count; index++) {
    const edge = load<u32>(edgeSlot(node, index))
    if (!matches(edge, head, at)) continue
    const hits = load<u32>(edge, EDGE_HITS) + 1
    store<u32>(edge, hits, EDGE_HITS)
    promote(node, index, edge, hits)
    return edge
  }
  return missEdge(node, at)
}

/** As `follow`, for a place where the value is none that the operation of the edge takes. */
export function followByClass(node: usize, at: usize): usize {
  const head = v128.load(at)
  const count = load<u32>(node, NODE_COUNT)
  for (let index: u32 = 0; index < count; index++) {
    const edge = <usize>load<u32>(edgeSlot(node, index))
    const valueClass = load<u32>(edge, EDGE_CLASS)
    const fits = valueClass == CLASS_ANY || classAt(at + load<u32>(edge, EDGE_LENGTH)) == valueClass
    if (fits && matches(edge, head, at)) return edge
  }
  return parseEdge(node, at)
}

@inline
function matches(edge: usize, head: v128, at: usize): bool {
  const mask = load<u64>(edge, EDGE_MASK)
  const same = <u64>i8x16.bitmask(i8x16.eq(head, v128.load(edge)))
  if (mask <= 0xffff) {
    if ((same & mask) != mask) return false
  } else {
    if (same != 0xffff || !restMatches(edge, mask, at)) return false
  }
  return true
}

/** Whether the literal's bytes behind the first 16 stand where they should. */
@inline
function restMatches(edge: usize, mask: u64, at: usize): bool {
  let same = <u64>i8x16.bitmask(i8x16.eq(v128.load(at, 16), v128.load(edge, 16)))
  if (mask > 0xffffffff) same |= <u64>i8x16.bitmask(i8x16.eq(v128.load(at, 32), v128.load(edge, 32))) << 16
  const wanted = mask >> 16
  return (same & wanted) == wanted
}

/** An edge that is hit more often than the one before it changes places with that. */
function promote(node: usize, index: u32, edge: usize, hits: u32): void {
  const before = edgeSlot(node, index - 1)
  const other = load<u32>(before)
  if (hits <= load<u32>(other, EDGE_HITS)) return
  store<u32>(before, edge)
  store<u32>(edgeSlot(node, index), other)
}

/** Parses what stands between two values, and learns it. */
function parseEdge(node: usize, from: usize): usize {
  const first = node == startNode
  let at = space(from)
  const opened = load<u8>(at) == (first ? OPEN_BRACE : COMMA)
  if (opened) at = space(at + 1)
  else if (first) return 0
  if (load<u8>(at) == CLOSE_BRACE && opened == first) return endEdge(node, from, at + 1)
  if (!opened || load<u8>(at) != QUOTE) return 0
  const nameEnd = plainEnd(at + 1)
  if (load<u8>(nameEnd) != QUOTE) return 0
  const colonAt = space(nameEnd + 1)
  if (load<u8>(colonAt) != COLON) return 0
  const valueAt = space(colonAt + 1)
  const member = memberOf(at + 1, <u32>(nameEnd - at - 1))
  return describe(member, from, at, valueAt) ? learn(node, from) : 0
}

/** As `parseEdge`, for the usual spelling of names that are known and short; 0 for any other. Learns nothing. */
function parseKnown(node: usize, from: usize): usize {
  const first = node == startNode
  if (load<u16>(from) != (first ? OPENING : SEPARATOR)) {
    return load<u8>(from) == CLOSE_BRACE && !first ? closing : 0
  }
  const name = from + 2
  const head = v128.load(name)
  const found = stops(head)
  if (found == 0) return 0
  const length = ctz(found)
  if (load<u16>(name + length) != NAME_END) return 0
  const member = knownMember(head, name, length)
  return member != 0 && describe(member, from, from + 1, name + length + 2) ? parsed : 0
}

/** Makes the parsed edge one for the member whose name begins at `nameAt`. False when its value at `valueAt` is not taken. */
@inline
function describe(member: usize, from: usize, nameAt: usize, valueAt: usize): bool {
  const valueClass = classAt(valueAt)
  const operation = operationFor(load<u32>(member, MEMBER_OPERATION), valueClass)
  if (operation == NONE) return false
  let valuePart: usize = 0
  if (operation == NOTHING) {
    if (load<u32>(valueAt) != WORD_NULL) return false
    valuePart = 4
  } else if (takesContent(operation)) {
    valuePart = 1
  }
  store<u64>(parsed, load<u64>(member, MEMBER_BIT), EDGE_BIT)
  store<u32>(parsed, valueAt + valuePart - from, EDGE_LENGTH)
  store<u32>(parsed, operation, EDGE_OPERATION)
  store<u32>(parsed, valuePart > 0 ? CLASS_ANY : valueClass, EDGE_CLASS)
  store<u32>(parsed, load<u32>(member, MEMBER_VALUES), EDGE_VALUES)
  store<u32>(parsed, load<u32>(member, MEMBER_EXTRA), EDGE_EXTRA)
  store<u32>(parsed, load<u32>(member, MEMBER_NODE), EDGE_NEXT)
  store<u32>(parsed, nameAt - from, EDGE_NAME_START)
  return true
}

function endEdge(node: usize, from: usize, end: usize): usize {
  memory.copy(parsed, closing, EDGE_BYTES)
  store<u32>(parsed, end - from, EDGE_LENGTH)
  return learn(node, from)
}

/** Keeps a copy of the parsed edge, if there is room for one more and its literal is short and ASCII. */
function learn(node: usize, from: usize): usize {
  const length = load<u32>(parsed, EDGE_LENGTH)
  if (length > LITERAL_BYTES_MAX || !isAsciiLiteral(from, length)) return parsed
  if (load<u32>(node, NODE_SCATTERED) != 0) return parsed
  let index = load<u32>(node, NODE_COUNT)
  if (index == EDGES_MAX) {
    if (load<u32>(node, NODE_MISSES) % MISSES_PER_REPLACEMENT != 0) return parsed
    index--
  } else {
    store<u32>(node, index + 1, NODE_COUNT)
  }
  const edge = load<u32>(edgeSlot(node, index))
  memory.copy(edge, parsed, EDGE_BYTES)
  memory.fill(edge, 0, LITERAL_BYTES_MAX)
  memory.copy(edge, from, length)
  store<u64>(edge, (<u64>1 << length) - 1, EDGE_MASK)
  store<u32>(edge, 1, EDGE_HITS)
  return edge
}

function isAsciiLiteral(from: usize, length: usize): bool {
  for (let at = from; at < from + length; at++) if (load<u8>(at) >= 0x80) return false
  return true
}

/**
 * Parses the edge where none of the node fits. A node that is full, and has its edges hit less often than missed, is scattered:
 * members come there in any order, and for a while it neither tries edges nor learns any.
 */
function missEdge(node: usize, at: usize): usize {
  const scattered = load<u32>(node, NODE_SCATTERED) != 0
  if (!scattered && load<u32>(node, NODE_COUNT) < EDGES_MAX) return parseEdge(node, at)
  const misses = load<u32>(node, NODE_MISSES) + 1
  store<u32>(node, misses, NODE_MISSES)
  if (scattered) {
    if (misses % MISSES_PER_SCATTERING == 0) store<u32>(node, 0, NODE_SCATTERED)
  } else if (misses % MISSES_PER_JUDGEMENT == 0) {
    if (halveHits(node) < HITS_MIN) scatter(node)
    else if (misses % MISSES_PER_REPLACEMENT == 0) return parseEdge(node, at)
  }
  const edge = parseKnown(node, at)
  return edge != 0 ? edge : parseEdge(node, at)
}

function scatter(node: usize): void {
  store<u32>(node, 1, NODE_SCATTERED)
  store<u32>(node, 0, NODE_COUNT)
  for (let index: u32 = 0; index < EDGES_MAX; index++) store<u64>(load<u32>(edgeSlot(node, index)), NO_MASK, EDGE_MASK)
}

/** Makes what was hit long ago count less; gives all hits until now. */
function halveHits(node: usize): u32 {
  let sum: u32 = 0
  for (let index: u32 = 0; index < EDGES_MAX; index++) {
    const edge = load<u32>(edgeSlot(node, index))
    const hits = load<u32>(edge, EDGE_HITS)
    sum += hits
    store<u32>(edge, hits >> 1, EDGE_HITS)
  }
  return sum
}
