// A place in events: behind the value of one member, or at the beginning; and what came there before.
//
//     node   | edges in use | misses | six addresses of edges, most hit first | scattered | six edges |
//     edge   | literal, 48 bytes | mask u64: a bit for each byte of the literal | bit u64: of the column |
//            | length | operation | value class | values | extra | next node | name's place | hits |

import { reserve } from './memory'

export const EDGES_MAX: u32 = 6
/** Longest literal that is learned. */
export const LITERAL_BYTES_MAX: usize = 48

export const NODE_COUNT: usize = 0
export const NODE_MISSES: usize = 4
export const NODE_SLOTS: usize = 8
/** 1 while the node has no edges because they were rarely hit. */
export const NODE_SCATTERED: usize = 32
const NODE_EDGES: usize = 64

export const EDGE_MASK: usize = 48
/** Mask of an edge that is not in use: a literal has no such byte, so nothing matches it. */
export const NO_MASK: u64 = 1 << 63
export const EDGE_BIT: usize = 56
export const EDGE_LENGTH: usize = 64
export const EDGE_OPERATION: usize = 68
/** What the byte behind the literal must begin; `CLASS_ANY` when that does not matter. */
export const EDGE_CLASS: usize = 72
export const EDGE_VALUES: usize = 76
export const EDGE_EXTRA: usize = 80
export const EDGE_NEXT: usize = 84
/** Where the name's opening quote stands in the literal. */
export const EDGE_NAME_START: usize = 88
export const EDGE_HITS: usize = 92
export const EDGE_BYTES: usize = 96

const NODE_BYTES: usize = NODE_EDGES + EDGES_MAX * EDGE_BYTES

/** Makes a node without edges. */
export function createNode(): usize {
  const node = reserve(NODE_BYTES)
  for (let index: usize = 0; index < EDGES_MAX; index++) {
    const edge = node + NODE_EDGES + index * EDGE_BYTES
    store<u32>(node + NODE_SLOTS + (index << 2), edge)
    store<u64>(edge, NO_MASK, EDGE_MASK)
  }
  return node
}

/** Address of the place in the node that holds the address of an edge. */
@inline
export function edgeSlot(node: usize, index: u32): usize {
  return node + NODE_SLOTS + (index << 2)
}
