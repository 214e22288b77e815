import { MillraceError } from '../base/error.ts'

/** The mark that Windows programs put before text, and by which UTF-16 is told. */
const UTF8_MARK = [0xef, 0xbb, 0xbf]
const LOOKED_AT_BYTES = 4

/** Bytes of text without the mark of UTF-8 before them. Throws `invalid-option` when it is UTF-16, as PowerShell writes it: none of its lines could be read. */
export async function* textBytes(bytes: AsyncIterable<Uint8Array>, name: string): AsyncGenerator<Uint8Array> {
  let beginning: Uint8Array | undefined = new Uint8Array(0)
  for await (const piece of bytes) {
    if (!beginning) {
      yield piece
      continue
    }
    beginning = beginning.length === 0 ? piece : Buffer.concat([beginning, piece])
    if (beginning.length < LOOKED_AT_BYTES) continue
    yield withoutMark(beginning, name)
    beginning = undefined
  }
  if (beginning && beginning.length > 0) yield withoutMark(beginning, name)
}

function withoutMark(beginning: Uint8Array, name: string): Uint8Array {
  const [first, second, third, fourth] = beginning
  if ((first === 0xff && second === 0xfe && fourth === 0) || (first === 0xfe && second === 0xff && third === 0)) {
    throw new MillraceError('invalid-option', `${name} is UTF-16, not UTF-8`, {
      hint: 'convert it first: iconv -f UTF-16 -t UTF-8 FILE > OTHER',
    })
  }
  return UTF8_MARK.every((byte, index) => beginning[index] === byte) ? beginning.subarray(UTF8_MARK.length) : beginning
}
