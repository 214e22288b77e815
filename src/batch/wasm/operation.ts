// What to do with a value: decided once, when an edge of the member graph is learned. The host names a column's kind by the
// operation that reads its values, see `../wasm-layout.ts`.

/** The object is closed. */
export const END: u32 = 0
/** The literal holds the whole value: null. */
export const NOTHING: u32 = 1

// Behind the opening quote of a string:
/** Text whose code is looked for at once: a dictionary that is small stays in the cache. */
export const DICTIONARY: u32 = 2
/** Text that is looked up at the end of the batch, if ever: many misses of the cache then overlap. */
export const TEXT: u32 = 3
export const UUID: u32 = 4
export const ISO_TIME: u32 = 5
export const SKIP_STRING: u32 = 6

// At the first byte of a value:
export const DECIMAL: u32 = 7
export const DOUBLE: u32 = 8
export const INT64: u32 = 9
export const INT32: u32 = 10
export const EPOCH: u32 = 11
export const BOOLEAN: u32 = 12
export const JSON: u32 = 13
export const REST: u32 = 14
export const SKIP: u32 = 15

export const NONE: u32 = 16

// What a value is, by its first byte.
export const CLASS_ANY: u32 = 0
export const CLASS_STRING: u32 = 1
export const CLASS_NUMBER: u32 = 2
export const CLASS_BOOLEAN: u32 = 3
export const CLASS_NULL: u32 = 4
export const CLASS_NESTED: u32 = 5

const CLASS_COUNT: u32 = 6

const CLASSES: usize = memory.data(256)
/** By a member's operation and the class of its value: see `operationFor`. */
const OPERATIONS: usize = memory.data(16 << 3)

/** Fills the tables. */
export function prepareClasses(): void {
  for (let operation: u32 = 0; operation < NONE; operation++) {
    for (let valueClass: u32 = 0; valueClass < CLASS_COUNT; valueClass++) {
      store<u8>(OPERATIONS + (operation << 3) + valueClass, <u8>chosen(operation, valueClass))
    }
  }
  for (let digit: usize = 0x30; digit <= 0x39; digit++) store<u8>(CLASSES + digit, <u8>CLASS_NUMBER)
  store<u8>(CLASSES + 0x2d, <u8>CLASS_NUMBER)
  store<u8>(CLASSES + 0x22, <u8>CLASS_STRING)
  store<u8>(CLASSES + 0x74, <u8>CLASS_BOOLEAN)
  store<u8>(CLASSES + 0x66, <u8>CLASS_BOOLEAN)
  store<u8>(CLASSES + 0x6e, <u8>CLASS_NULL)
  store<u8>(CLASSES + 0x5b, <u8>CLASS_NESTED)
  store<u8>(CLASSES + 0x7b, <u8>CLASS_NESTED)
}

/** The class of the value that begins at `at`; `CLASS_ANY` when none does. */
@inline
export function classAt(at: usize): u32 {
  return load<u8>(CLASSES + load<u8>(at))
}

/** Whether the operation wants the content of a string, so that the opening quote belongs to the literal. */
@inline
export function takesContent(operation: u32): bool {
  return operation - DICTIONARY <= SKIP_STRING - DICTIONARY
}

/** Whether the operation takes values of one class only, which the literal does not tell. */
@inline
export function minds(operation: u32): bool {
  return operation - DECIMAL <= JSON - DECIMAL
}

/** The operation for a value of a class that a member with this operation gets; `NONE` when it does not take it. */
@inline
export function operationFor(operation: u32, valueClass: u32): u32 {
  return load<u8>(OPERATIONS + (operation << 3) + valueClass)
}

function chosen(operation: u32, valueClass: u32): u32 {
  if (operation == REST || valueClass == CLASS_ANY) return valueClass == CLASS_ANY ? NONE : operation
  if (valueClass == CLASS_NULL) return NOTHING
  if (operation == JSON) return JSON
  if (operation == SKIP) return valueClass == CLASS_STRING ? SKIP_STRING : SKIP
  return valueClass == classOf(operation) ? operation : NONE
}

/** The class of values that a column takes. */
function classOf(operation: u32): u32 {
  if (operation <= ISO_TIME) return CLASS_STRING
  return operation == BOOLEAN ? CLASS_BOOLEAN : CLASS_NUMBER
}
