import { assert } from '../../../src/base/assert.ts'

/** First instant of the day that timelines play on, ms. */
export const DAY_MS: number = Date.UTC(2026, 0, 1)

/** A timeline's text, line by line. */
export type Script = readonly Line[]

/** One line with what is expected of it; lines that begin with `->` add to the line before. */
export interface Line {
  readonly text: string
  readonly step: Step
  readonly expected: readonly string[]
}

/** What a line does. */
export type Step =
  | { readonly kind: 'event'; readonly timeText: string; readonly columns: readonly string[] }
  /** Bytes that need not be an event. */
  | { readonly kind: 'raw'; readonly value: string }
  | { readonly kind: 'partition'; readonly partition: number }
  /** The plan's clock from now on; an epoch without rows follows. */
  | { readonly kind: 'clock'; readonly clockMs: number }
  /** The partition is flagged idle, or has ended; an epoch without rows follows. */
  | { readonly kind: 'idle' | 'ended'; readonly partition: number }
  /** Rows up to here are one epoch: a text with such lines is cut nowhere else, but for `clock`, `idle`, `ended` and `end`. */
  | { readonly kind: 'epoch' }
  /** The input ends and everything closes. */
  | { readonly kind: 'end' }

/** Reads the text of a timeline. */
export function parseScript(text: string): Script {
  const lines: { text: string; step: Step; expected: string[] }[] = []
  for (const raw of text.split('\n')) {
    const [left = '', ...expected] = raw.split('->').map((part) => part.trim())
    if (left === '' && expected.length === 0) continue
    if (left !== '') lines.push({ text: left, step: parseStep(left), expected: [] })
    const line = lines.at(-1)
    assert(line, 'a timeline begins with something that happens')
    line.expected.push(...expected)
  }
  assert(
    lines.some(({ expected }) => expected.length > 0),
    'a timeline expects something',
  )
  return lines
}

/** `00:01:05.250` as ms of the day; hours go on beyond 24. */
export function parseTimeOfDay(text: string): number {
  const match = /^(\d{2,4}):(\d\d)(?::(\d\d)(?:\.(\d\d\d))?)?$/.exec(text)
  assert(match, `"${text}" is not a time of day`)
  const [hours, minutes, seconds, ms] = match.slice(1).map((part) => Number(part ?? 0))
  return (((hours ?? 0) * 60 + (minutes ?? 0)) * 60 + (seconds ?? 0)) * 1_000 + (ms ?? 0)
}

/** The shortest text that `parseTimeOfDay` reads back. */
export function formatTimeOfDay(timeMs: number): string {
  if (!Number.isFinite(timeMs)) return timeMs < 0 ? '-infinity' : 'infinity'
  const rest = timeMs - DAY_MS
  const [hours, minutes] = [Math.floor(rest / 3_600_000), Math.floor(rest / 60_000) % 60]
  const [seconds, ms] = [Math.floor(rest / 1_000) % 60, rest % 1_000]
  const tail = ms > 0 ? `:${two(seconds)}.${String(ms).padStart(3, '0')}` : seconds > 0 ? `:${two(seconds)}` : ''
  return `${two(hours)}:${two(minutes)}${tail}`
}

function parseStep(text: string): Step {
  const [word = '', ...rest] = text.split(/\s+/)
  switch (word) {
    case 'raw':
      return { kind: 'raw', value: text.slice('raw '.length) }
    case 'partition':
    case 'idle':
    case 'ended': {
      const partition = Number(rest[0])
      assert(rest.length === 1 && Number.isSafeInteger(partition), `"${text}" names a partition by its number`)
      return { kind: word, partition }
    }
    case 'clock':
      return { kind: 'clock', clockMs: DAY_MS + parseTimeOfDay(rest[0] ?? '') }
    case 'epoch':
    case 'end':
      return { kind: word }
    default:
      return { kind: 'event', timeText: word, columns: rest }
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0')
}
