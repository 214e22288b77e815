import { col, eq, type SessionOptions } from '../../src/index.ts'

/** What ends the sessions of a case, for its model. */
export interface Limits {
  readonly ends: boolean
  readonly durationMaxMs: number
  readonly eventsMax: number
}

/** Sessions that end before their gap: a name, the options and what the model goes by. */
export const SESSION_END_CASES: readonly (readonly [string, SessionOptions, Limits])[] = [
  [
    'an event that ends its session',
    { endWhen: eq(col('type'), 'end') },
    { ends: true, durationMaxMs: Infinity, eventsMax: Infinity },
  ],
  ['a longest duration', { maxDuration: '15s' }, { ends: false, durationMaxMs: 15_000, eventsMax: Infinity }],
  [
    'most events, and ends',
    { maxEvents: 2, maxDuration: null, endWhen: eq(col('type'), 'end') },
    { ends: true, durationMaxMs: Infinity, eventsMax: 2 },
  ],
]
