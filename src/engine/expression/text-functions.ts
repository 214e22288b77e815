import { bytes, NULL, type Texts, type TextVector, type TruthVector } from './vector.ts'

/** A function of one text; null stays null, and null from others is null. */
export function mappedText(operand: TextVector, map: (text: string) => string | null): TextVector {
  const values: Texts = []
  return (batch) => {
    const texts = operand(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const text = texts[row]
      values[row] = text === null ? null : map(text)
    }
    return values
  }
}

/** What is joined is cut here: no dictionary takes more. */
const JOINED_LENGTH_MAX = 1 << 20

/** The texts of each row one behind the other; null when one of them is. */
export function joinedText(operands: readonly TextVector[]): TextVector {
  const values: Texts = []
  return (batch) => {
    for (let row = 0; row < batch.rowCount; row++) values[row] = ''
    for (const operand of operands) joinInto(values, operand(batch), batch.rowCount)
    return values
  }
}

function joinInto(values: Texts, texts: Texts, rowCount: number): void {
  for (let row = 0; row < rowCount; row++) {
    const value = values[row]
    const text = texts[row]
    if (value === null || text === null) values[row] = null
    else if (value.length + text.length <= JOINED_LENGTH_MAX) values[row] = value + text
    else values[row] = (value + text).slice(0, JOINED_LENGTH_MAX)
  }
}

/** A test of two texts; null when one of them is. */
export function textTest(
  left: TextVector,
  right: TextVector,
  test: (text: string, other: string) => boolean,
): TruthVector {
  let truths = new Uint8Array(0)
  return (batch) => {
    truths = bytes(truths, batch.rowCount)
    const texts = left(batch)
    const others = right(batch)
    for (let row = 0; row < batch.rowCount; row++) {
      const text = texts[row]
      const other = others[row]
      truths[row] = text === null || other === null ? NULL : test(text, other) ? 1 : 0
    }
    return truths
  }
}

/** The same text for every row. */
export function constantText(text: string): TextVector {
  const values: Texts = []
  return (batch) => {
    while (values.length < batch.rowCount) values.push(text)
    return values
  }
}

/** Number of code points. */
export function textLength(text: string): number {
  let count = text.length
  for (let at = 0; at < text.length - 1; at++) if (pairAt(text, at)) count--
  return count
}

/** Code points from the `start`-th on (the first is 1), `count` at most. */
export function substring(text: string, start: number, count: number): string {
  const from = skip(text, 0, start - 1)
  return text.slice(from, skip(text, from, count))
}

/** Without spaces (U+0020) at both ends. */
export function trimmed(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text[start] === ' ') start++
  while (end > start && text[end - 1] === ' ') end--
  return text.slice(start, end)
}

/** The `n`-th part between delimiters, empty when there are fewer. */
export function splitPart(text: string, delimiter: string, n: number): string {
  let from = 0
  for (let part = 1; part < n; part++) {
    const at = text.indexOf(delimiter, from)
    if (at < 0) return ''
    from = at + delimiter.length
  }
  const end = text.indexOf(delimiter, from)
  return text.slice(from, end < 0 ? text.length : end)
}

/** Place behind so many code points. */
function skip(text: string, from: number, count: number): number {
  let at = from
  for (let left = count; left > 0 && at < text.length; left--) at += pairAt(text, at) ? 2 : 1
  return at
}

/** Whether a pair of surrogates, which are one code point, begins here. */
function pairAt(text: string, at: number): boolean {
  return (text.charCodeAt(at) & 0xfc00) === 0xd800 && (text.charCodeAt(at + 1) & 0xfc00) === 0xdc00
}
