// ASCII codes, and words of JSON as little-endian numbers.

export const TAB: u32 = 0x09
export const LINE_FEED: u32 = 0x0a
export const CARRIAGE_RETURN: u32 = 0x0d
export const SPACE: u32 = 0x20
export const QUOTE: u32 = 0x22
export const PLUS: u32 = 0x2b
export const COMMA: u32 = 0x2c
export const MINUS: u32 = 0x2d
export const POINT: u32 = 0x2e
export const ZERO: u32 = 0x30
export const COLON: u32 = 0x3a
export const LETTER_UPPER_T: u32 = 0x54
export const LETTER_UPPER_Z: u32 = 0x5a
export const OPEN_BRACKET: u32 = 0x5b
export const BACKSLASH: u32 = 0x5c
export const CLOSE_BRACKET: u32 = 0x5d
export const LETTER_E: u32 = 0x65
export const LETTER_U: u32 = 0x75
export const OPEN_BRACE: u32 = 0x7b
export const CLOSE_BRACE: u32 = 0x7d

export const WORD_NULL: u32 = 0x6c6c756e
export const WORD_TRUE: u32 = 0x65757274
export const WORD_FALS: u32 = 0x736c6166

/** Added to a capital letter it gives the small one. */
export const SMALL: u32 = 0x20

/** A vector of 16 times the same character. */
@inline
export function splat(character: u32): v128 {
  return i8x16.splat(<i8>character)
}
