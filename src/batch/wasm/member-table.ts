// The names of members, and what becomes of the value of each. Names of the input are kept up to a limit, so that each has a
// place in the member graph.
//
//     member   | bit u64 | operation | values | extra | node |      32 bytes, by the name's code

import { createDictionary, dictionarySize, find, findCode, intern } from './dictionary'
import { columnExtra, columnOperation, columnValues } from './column'
import { createNode } from './graph-node'
import { reserve } from './memory'
import { REST, SKIP } from './operation'

/** Names beyond the schema's own that are kept; events can hold any number of names. */
const LEARNED_MAX: u32 = 250
const LEARNED_LENGTH_MAX: u32 = 48

const MEMBER_BITS: usize = 5
export const MEMBER_BIT: usize = 0
export const MEMBER_OPERATION: usize = 8
export const MEMBER_VALUES: usize = 12
export const MEMBER_EXTRA: usize = 16
export const MEMBER_NODE: usize = 20

let names: usize = 0
let members: usize = 0
let knownCount: u32 = 0
/** What becomes of members that no field of the schema is called like. */
let unknownOperation: u32 = SKIP
/** Stands for all names without a code. */
let nameless: usize = 0

/** `knownMax` is how many names will be added. The dictionary of names must be begun before that. */
export function prepareMembers(knownMax: u32, collectRest: bool): usize {
  names = createDictionary()
  members = reserve(<usize>(knownMax + LEARNED_MAX + 1) << MEMBER_BITS)
  for (let index: u32 = 0; index <= knownMax + LEARNED_MAX; index++) store<u32>(member(index), <u32>createNode(), MEMBER_NODE)
  unknownOperation = collectRest ? REST : SKIP
  nameless = member(knownMax + LEARNED_MAX)
  store<u32>(nameless, unknownOperation, MEMBER_OPERATION)
  return names
}

/** Adds a name of the schema: read into a column, or skipped when that is negative. */
export function addMember(name: usize, length: u32, column: i32): void {
  const added = member(intern(names, name, length))
  knownCount = dictionarySize(names)
  if (column < 0) {
    store<u32>(added, SKIP, MEMBER_OPERATION)
    return
  }
  store<u64>(added, (<u64>1) << column, MEMBER_BIT)
  store<u32>(added, columnOperation(column), MEMBER_OPERATION)
  store<u32>(added, <u32>columnValues(column), MEMBER_VALUES)
  store<u32>(added, <u32>columnExtra(column), MEMBER_EXTRA)
}

/** The member of a name. 16 bytes from `name` on must be readable. */
export function memberOf(name: usize, length: u32): usize {
  const known = find(names, name, length)
  if (known >= 0) return member(known)
  if (length > LEARNED_LENGTH_MAX || dictionarySize(names) - knownCount >= LEARNED_MAX) return nameless
  const learned = member(intern(names, name, length))
  store<u32>(learned, unknownOperation, MEMBER_OPERATION)
  return learned
}

/** The member of a name of up to 16 bytes that is known already, whose first 16 bytes are `head`; else 0. */
@inline
export function knownMember(head: v128, name: usize, length: u32): usize {
  const known = findCode(names, head, name, length)
  return known >= 0 ? member(known) : 0
}

@inline
function member(index: u32): usize {
  return members + (index << MEMBER_BITS)
}
