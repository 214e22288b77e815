// Texts that are not in their column's dictionary yet. They enter it when the batch has been read, so that no refused row leaves
// a trace in a dictionary.
//
//     new text   | dictionary | address of the row's code | start | length |      16 bytes

import { intern } from './dictionary'

const NEW_TEXT_BITS: usize = 4

let newTexts: usize = 0
let newTextCount: u32 = 0

/** Takes where the list is, which has room for the texts of a batch. */
export function prepareNewTexts(list: usize): void {
  newTexts = list
}

/** Begins a batch. */
export function beginNewTexts(): void {
  newTextCount = 0
}

/** How many there are: to go back to. */
@inline
export function countNewTexts(): u32 {
  return newTextCount
}

/** Forgets those of a row that is given up. */
export function dropNewTexts(count: u32): void {
  newTextCount = count
}

/** Adds a text to the list. */
export function addNewText(dictionary: usize, code: usize, start: usize, length: usize): void {
  const added = newTexts + (newTextCount << NEW_TEXT_BITS)
  store<u32>(added, dictionary, 0)
  store<u32>(added, code, 4)
  store<u32>(added, start, 8)
  store<u32>(added, length, 12)
  newTextCount++
}

/** Gives each of them its code. */
export function internNewTexts(): void {
  for (let index: u32 = 0; index < newTextCount; index++) {
    const text = newTexts + (index << NEW_TEXT_BITS)
    const code = intern(load<u32>(text, 0), load<u32>(text, 8), load<u32>(text, 12))
    store<i32>(load<u32>(text, 4), code)
  }
}
