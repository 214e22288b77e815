import type { EVENT_TYPES } from './generated-event.ts'

/**
 * How events are spelled as JSON: members in the order in which they are written. The visitors and what they do are the same for all
 * shapes; an event of a type that a system does not have becomes one of the nearest type that it has.
 */
export interface Shape {
  readonly name: string
  readonly members: readonly Member[]
  /** The system's name for each type of event. */
  readonly types: Readonly<Record<GeneratedType, string>>
  /** Members that an invalid event is spoiled in. */
  readonly damaged: DamagedMembers
}

/** Types of events that visitors cause. */
export type GeneratedType = (typeof EVENT_TYPES)[number]

/** A member of the object. */
export interface Member {
  readonly name: string
  readonly value: MemberValue
  /** Only events of these types have it, by the system's names; all when absent. */
  readonly of?: readonly string[]
  /** Written as null where there is no value; left out otherwise. */
  readonly nullable?: boolean
}

/** Where the value of a member comes from, and its form. */
export type MemberValue =
  | { readonly kind: 'event-id' | 'type' | 'category' | 'search-query' }
  /** ISO-8601 in UTC with milliseconds, then `suffix`. */
  | { readonly kind: 'time'; readonly suffix: string }
  | { readonly kind: 'epoch-seconds' | 'user-number' | 'quantity' | 'duration-seconds' | 'amount' | 'item-price' }
  | { readonly kind: 'user' | 'session' | 'order' | 'item'; readonly prefix: string }
  | { readonly kind: 'page' | 'referrer'; readonly site: string }
  | { readonly kind: 'device' | 'country' }
  | { readonly kind: 'browser'; readonly lowerCase?: boolean }
  /** One of some values, as JSON; always the same one for the same session. */
  | { readonly kind: 'choice'; readonly values: readonly string[] }
  /** A whole number, different for each event. */
  | { readonly kind: 'number'; readonly min: number; readonly max: number }
  | { readonly kind: 'item-list'; readonly prefix: string }
  | { readonly kind: 'quantity-list' }

/** Names of members, for making events that break a rule. */
export interface DamagedMembers {
  readonly time: string
  readonly type: string
  readonly user: string
  readonly amount: string
  /** A user that is of the wrong type. */
  readonly wrongUser: string | number
}
