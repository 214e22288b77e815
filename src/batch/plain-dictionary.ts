import { decodeText } from '../base/bytes.ts'
import { copyShort, type Dictionary } from './dictionary.ts'

/** A finished dictionary as plain arrays, which can go to another thread: value c is `data[ends[c - 1], ends[c])`. */
export interface PlainDictionary {
  readonly data: Uint8Array
  readonly ends: Int32Array
}

/** Copies the values of a dictionary. */
export function plainDictionary(dictionary: Dictionary): PlainDictionary {
  const ends = new Int32Array(dictionary.size)
  let length = 0
  for (let code = 0; code < dictionary.size; code++) {
    length += dictionary.bytes(code).length
    ends[code] = length
  }
  const data = new Uint8Array(length)
  for (let code = 0; code < dictionary.size; code++) data.set(dictionary.bytes(code), code === 0 ? 0 : ends[code - 1])
  return { data, ends }
}

/** The dictionary that was made plain. */
export function dictionaryOf({ data, ends }: PlainDictionary): Dictionary {
  const texts: string[] = []
  const start = (code: number): number => (code === 0 ? 0 : ends[code - 1])
  const bytes = (code: number): Uint8Array => data.subarray(start(code), ends[code])
  return {
    size: ends.length,
    bytes,
    copyTo: (code, into, at) => copyShort(data, start(code), ends[code] - start(code), into, at),
    text(code) {
      texts[code] ??= decodeText(bytes(code))
      return texts[code]
    },
  }
}
