import {
  decimal,
  defineSchema,
  type FieldSpec,
  float64,
  int32,
  json,
  type TypedSchema,
  text,
  timestamp,
} from '../batch/schema.ts'
import { lengthMax, oneOf, type Rule, range, required } from '../plan/rule.ts'

/** Everything that can be known about a click, and the values in rows; `null` is what an event need not say. */
export type ClickEventFields = {
  /** Tells repeats of one event apart from other events; a UUID as a rule. Without it, nothing can be deduplicated. */
  readonly event_id: FieldSpec<string | null>
  /** When it happened, ISO-8601; when the event does not say, the time of its record in the log. */
  readonly event_time: FieldSpec<number>
  /** What happened, one of `CLICK_EVENT_TYPES`. */
  readonly event_type: FieldSpec<string>
  /** Who did it; of a visitor who is not logged in, the id of the browser. */
  readonly user_id: FieldSpec<string>
  /** The visit it belongs to, where the site keeps track of visits; else sessions can be derived from times. */
  readonly session_id: FieldSpec<string | null>
  /** Where it happened: path or full URL. */
  readonly page_url: FieldSpec<string | null>
  /** Where the visitor came from: a URL, or a word such as `search` or `direct`. */
  readonly referrer: FieldSpec<string | null>
  /** Kind of device, one of `DEVICES`. */
  readonly device: FieldSpec<string | null>
  readonly browser: FieldSpec<string | null>
  readonly os: FieldSpec<string | null>
  /** ISO-3166 code of two letters. */
  readonly country: FieldSpec<string | null>
  /** What a purchase came to. */
  readonly amount: FieldSpec<number | null>
  /** ISO-4217 code of three letters. */
  readonly currency: FieldSpec<string | null>
  readonly order_id: FieldSpec<string | null>
  /** The thing that was clicked, put into the cart or bought. */
  readonly item_id: FieldSpec<string | null>
  readonly category: FieldSpec<string | null>
  /** Price of one item. */
  readonly price: FieldSpec<number | null>
  readonly quantity: FieldSpec<number | null>
  readonly search_query: FieldSpec<string | null>
  readonly results_count: FieldSpec<number | null>
  /** How long the page was looked at. */
  readonly duration_seconds: FieldSpec<number | null>
  /** All other members of the event, verbatim, as one JSON object. */
  readonly props: FieldSpec<string | null>
}

/** The fields of a click before they are a schema, for schemas that differ in a few of them. */
export const clickEventFields: ClickEventFields = {
  event_id: text({ cardinality: 'unique' }),
  event_time: timestamp({ required: true, orRecordTime: true }),
  event_type: text({ required: true }),
  user_id: text({ required: true, cardinality: 'high' }),
  session_id: text({ cardinality: 'high' }),
  page_url: text(),
  referrer: text(),
  device: text(),
  browser: text(),
  os: text(),
  country: text(),
  amount: decimal(2),
  currency: text(),
  order_id: text({ cardinality: 'unique' }),
  item_id: text({ cardinality: 'high' }),
  category: text(),
  price: decimal(2),
  quantity: int32(),
  search_query: text({ cardinality: 'high' }),
  results_count: int32(),
  duration_seconds: float64(),
  props: json({ rest: true }),
}

/** The canonical click event. Nothing in the engine knows it: it is a schema like any other. */
export const clickEvent: TypedSchema<ClickEventFields> = defineSchema(clickEventFields)

/** What can happen on a site; `custom` is for everything else, described in `props`. */
export const CLICK_EVENT_TYPES: readonly string[] = [
  'page_view',
  'click',
  'view',
  'scroll',
  'hover',
  'search',
  'item_click',
  'cart_add',
  'purchase',
  'user_login',
  'session_start',
  'session_end',
  'custom',
]

/** Kinds of device. */
export const DEVICES: readonly string[] = ['mobile', 'desktop', 'tablet', 'bot', 'other']

/** A purchase says what it came to. */
export const purchaseHasAmount: Rule = required('amount', {
  when: { column: 'event_type', values: ['purchase'] },
  name: 'purchase-has-amount',
})

/** Rules that hold whatever the dialect: no single event can ruin a sum, nor fill the memory with one page. */
export const limitRules: readonly Rule[] = [range('amount', { min: 0, max: 1e9 }), lengthMax('page_url', 8192)]

/** What a canonical click event must fulfil. */
export const clickEventRules: readonly Rule[] = [
  oneOf('event_type', CLICK_EVENT_TYPES),
  oneOf('device', DEVICES),
  purchaseHasAmount,
  lengthMax('user_id', 256),
  ...limitRules,
]
