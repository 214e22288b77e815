/** Items up to this many are sorted by comparing them. */
const FEW = 16
/** A byte is worth one more than it is, so that a value that ends is less than one that goes on. */
const DIGIT = 257
/** Four bytes and the place of an item fit into the 53 bits of a double up to this many items, three beyond. */
const WIDE_MAX = Math.floor(Number.MAX_SAFE_INTEGER / DIGIT ** 4)

/** Byte strings one after the other: value `id` ends at `ends[id]`, where the next one begins. */
export interface Slab {
  readonly bytes: Uint8Array
  readonly ends: Int32Array
}

/**
 * Sorts items in place by the bytes of the values that they stand for, `ids[item]`; those with equal values stay in their order. What all
 * have in common is left out, the next bytes are packed into a double with the item's place, and doubles are sorted many times as fast as
 * items by a comparator. Those that are still alike are sorted on by what follows.
 */
export function sortByBytes(items: Int32Array, ids: Int32Array, slab: Slab): void {
  sortFrom(items, ids, slab, 0)
}

function sortFrom(items: Int32Array, ids: Int32Array, slab: Slab, depth: number): void {
  const { length } = items
  if (length <= FEW) {
    insert(items, ids, slab, depth)
    return
  }
  const from = sharedUpTo(items, ids, slab, depth)
  const digits = length <= WIDE_MAX ? 4 : 3
  const packed = new Float64Array(length)
  for (let place = 0; place < length; place++) {
    packed[place] = digitsAt(slab, ids[items[place]], from, digits) * length + place
  }
  packed.sort()
  const before = items.slice()
  let start = 0
  let digitsOfStart = -1
  for (let place = 0; place < length; place++) {
    const here = Math.floor(packed[place] / length)
    items[place] = before[packed[place] - here * length]
    if (here === digitsOfStart) continue
    sortAlike(items.subarray(start, place), ids, slab, from + digits, digitsOfStart)
    start = place
    digitsOfStart = here
  }
  sortAlike(items.subarray(start), ids, slab, from + digits, digitsOfStart)
}

/** Sorts on items with these digits; when the last of them says that the values end, they are equal. */
function sortAlike(items: Int32Array, ids: Int32Array, slab: Slab, depth: number, digits: number): void {
  if (items.length > 1 && digits % DIGIT !== 0) sortFrom(items, ids, slab, depth)
}

function startOf({ ends }: Slab, id: number): number {
  return id === 0 ? 0 : ends[id - 1]
}

/** Up to where all values are the same, from a depth on where they are. */
function sharedUpTo(items: Int32Array, ids: Int32Array, slab: Slab, depth: number): number {
  const { bytes, ends } = slab
  const first = startOf(slab, ids[items[0]])
  let length = ends[ids[items[0]]] - first
  for (let place = 1; place < items.length && length > depth; place++) {
    const start = startOf(slab, ids[items[place]])
    length = Math.min(length, ends[ids[items[place]]] - start)
    for (let at = depth; at < length; at++) if (bytes[first + at] !== bytes[start + at]) length = at
  }
  return length
}

/** The next bytes of a value as one number. */
function digitsAt(slab: Slab, id: number, from: number, count: number): number {
  const start = startOf(slab, id) + from
  const end = slab.ends[id]
  let digits = 0
  for (let at = start; at < start + count; at++) digits = digits * DIGIT + (at < end ? slab.bytes[at] + 1 : 0)
  return digits
}

function insert(items: Int32Array, ids: Int32Array, slab: Slab, depth: number): void {
  for (let place = 1; place < items.length; place++) {
    const item = items[place]
    let at = place
    for (; at > 0 && compareFrom(slab, ids[items[at - 1]], ids[item], depth) > 0; at--) items[at] = items[at - 1]
    items[at] = item
  }
}

/** Orders two values that are the same up to a depth. */
export function compareFrom(slab: Slab, left: number, right: number, depth: number): number {
  const { bytes, ends } = slab
  let leftAt = startOf(slab, left) + depth
  let rightAt = startOf(slab, right) + depth
  const leftLength = ends[left] - leftAt
  const rightLength = ends[right] - rightAt
  const sharedEnd = leftAt + Math.min(leftLength, rightLength)
  while (leftAt < sharedEnd) {
    const difference = bytes[leftAt++] - bytes[rightAt++]
    if (difference !== 0) return difference
  }
  return leftLength - rightLength
}
