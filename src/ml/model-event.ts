/**
 * Something that has happened to a model.
 *
 *   drift, warning   who watches its losses has raised an alarm, or come close to one
 *   rollback         weights went back to kept ones, `toVersion`, or began anew
 *   promotion        a challenger has become the champion
 *   refused          a command that could not be followed
 */
export type ModelEventKind = 'drift' | 'warning' | 'rollback' | 'promotion' | 'refused'

/** An event with where it happened: the same for any cut into epochs, but for those of commands. */
export interface ModelEvent {
  readonly kind: ModelEventKind
  /** Outcomes that were known then. */
  readonly outcome: number
  /** Rows that had been predicted then. */
  readonly predicted: number
  /** Version of the model before. */
  readonly version: number
  /** Of a rollback: the version whose weights are back; null when they began anew, and of all others. */
  readonly toVersion: number | null
  /** Why, in words. */
  readonly reason: string
}

/** An event with the part of a model that it happened to. */
export interface PartEvent extends ModelEvent {
  readonly part: string
}

/** What somebody wants of a model. */
export type ModelCommand =
  | { readonly id: string; readonly action: 'promote'; readonly model: string; readonly challenger: string }
  /** `version` null: the newest that is kept. */
  | { readonly id: string; readonly action: 'rollback'; readonly model: string; readonly version: number | null }

/** Events that are kept until somebody takes them; more are counted only. */
const EVENTS_MAX = 1000

/** Events on their way out. */
export class EventList {
  #events: ModelEvent[] = []

  add(event: ModelEvent): void {
    if (this.#events.length < EVENTS_MAX) this.#events.push(event)
  }

  /** All since the last call. */
  take(): ModelEvent[] {
    return this.#events.splice(0)
  }
}
