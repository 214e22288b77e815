import { decodeText, encodeText } from '../base/bytes.ts'
import { MALFORMED } from './generated-event.ts'

/** Ways to spoil an event, by what the pipeline must say of it; an event's `damage` is an index into one of the lists. */
export const DAMAGE_KINDS = {
  malformed: ['truncated', 'not-json', 'not-utf8', 'not-an-object', 'trailing-brace', 'too-deep'],
  invalid: [
    'time-is-text',
    'time-is-impossible',
    'unknown-event-type',
    'user-missing',
    'user-is-number',
    'purchase-without-amount',
    'amount-is-text',
  ],
} as const

type MalformedKind = (typeof DAMAGE_KINDS.malformed)[number]
type InvalidKind = (typeof DAMAGE_KINDS.invalid)[number]
type Fields = Record<string, string | number | null>

/** The bytes of an event after it was spoiled. Such rows are rare: this is the one place that works on text and objects. */
export function spoil(good: Uint8Array, plant: number, damage: number): Uint8Array {
  if (plant === MALFORMED) return malformed(good, DAMAGE_KINDS.malformed[damage])
  return invalid(good, DAMAGE_KINDS.invalid[damage])
}

/** Nesting beyond what an event may have. */
const DEPTH = 40

function malformed(good: Uint8Array, kind: MalformedKind): Uint8Array {
  const text = decodeText(good)
  switch (kind) {
    case 'truncated':
      return good.slice(0, good.length >> 1)
    case 'not-json':
      return encodeText(`GET /collect?${text.length} HTTP/1.1`)
    case 'not-utf8':
      return withBrokenText(good)
    case 'not-an-object':
      return encodeText(`[${text}]`)
    case 'trailing-brace':
      return encodeText(`${text}}`)
    case 'too-deep':
      return encodeText(`${text.slice(0, -1)},"props":${'['.repeat(DEPTH)}${']'.repeat(DEPTH)}}`)
  }
}

/** A byte that never occurs in UTF-8, within the first value. */
function withBrokenText(good: Uint8Array): Uint8Array {
  const bytes = good.slice()
  bytes['{"event_id":"'.length] = 0xff
  return bytes
}

function invalid(good: Uint8Array, kind: InvalidKind): Uint8Array {
  const fields: Fields = JSON.parse(decodeText(good))
  switch (kind) {
    case 'time-is-text':
      fields['event_time'] = 'yesterday'
      break
    case 'time-is-impossible':
      fields['event_time'] = '2026-02-30T12:00:00.000Z'
      break
    case 'unknown-event-type':
      fields['event_type'] = 'page_wiev'
      break
    case 'user-missing':
      delete fields['user_id']
      break
    case 'user-is-number':
      fields['user_id'] = 12345
      break
    case 'purchase-without-amount':
      fields['event_type'] = 'purchase'
      delete fields['amount']
      break
    case 'amount-is-text':
      fields['amount'] = 'a lot'
      break
  }
  return encodeText(JSON.stringify(fields))
}
