import { decodeText, encodeText } from '../base/bytes.ts'
import { MALFORMED } from './generated-event.ts'
import type { DamagedMembers } from './shape.ts'

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
export function spoil(
  good: Uint8Array,
  plant: number,
  damage: number,
  members: DamagedMembers = CANONICAL,
): Uint8Array {
  if (plant === MALFORMED) return malformed(good, DAMAGE_KINDS.malformed[damage])
  return invalid(good, DAMAGE_KINDS.invalid[damage], members)
}

const CANONICAL: DamagedMembers = {
  time: 'event_time',
  type: 'event_type',
  user: 'user_id',
  amount: 'amount',
  wrongUser: 12345,
}

const COLON = 0x3a

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
  bytes[bytes.indexOf(COLON) + 2] = 0xff
  return bytes
}

function invalid(good: Uint8Array, kind: InvalidKind, members: DamagedMembers): Uint8Array {
  const fields: Fields = JSON.parse(decodeText(good))
  switch (kind) {
    case 'time-is-text':
      fields[members.time] = 'yesterday'
      break
    case 'time-is-impossible':
      fields[members.time] = '2026-02-30T12:00:00.000Z'
      break
    case 'unknown-event-type':
      fields[members.type] = 'page_wiev'
      break
    case 'user-missing':
      delete fields[members.user]
      break
    case 'user-is-number':
      fields[members.user] = members.wrongUser
      break
    case 'purchase-without-amount':
      fields[members.type] = 'purchase'
      delete fields[members.amount]
      break
    case 'amount-is-text':
      fields[members.amount] = 'a lot'
      break
  }
  return encodeText(JSON.stringify(fields))
}
