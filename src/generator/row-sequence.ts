import { assert } from '../base/assert.ts'
import { Random } from '../base/random.ts'
import { DAMAGE_KINDS } from './damage.ts'
import {
  CLEAN,
  DUPLICATE,
  FAST_CLOCK,
  GeneratedEvent,
  INVALID,
  LATE,
  MALFORMED,
  NONE,
  OUT_OF_ORDER,
} from './generated-event.ts'
import type { GeneratorSettings } from './settings.ts'
import { Traffic } from './traffic.ts'

/** Repeats that wait for their turn: at most one per event, and none waits longer than so many events. */
const WAITING_MAX = 4096

/**
 * The rows of a topic, in the order in which they are sent: the visitors' events, and what happens to them on their way. Row `n` is a
 * function of the settings, the start time and `n`; so is its offset, as each partition holds its rows in this order and nothing else.
 *
 * What is planted is drawn apart from the visitors: the same visitors do the same things, whatever happens to their events.
 */
export class RowSequence {
  readonly #settings: GeneratorSettings
  readonly #traffic: Traffic
  readonly #random: Random
  readonly #event = new GeneratedEvent()
  /** Repeats by the event after which they are sent, modulo the size; `#waiting` says which are in use. */
  readonly #repeats: (GeneratedEvent | undefined)[] = new Array(WAITING_MAX).fill(undefined)
  readonly #waiting = new Uint8Array(WAITING_MAX)
  readonly #repeatWithin: number
  /** A number drawn from [0, 1) decides what is planted: shares of the line, one behind the other. */
  readonly #malformedBelow: number
  readonly #invalidBelow: number
  readonly #lateBelow: number
  readonly #outOfOrderBelow: number
  readonly #silentFromMs: number
  /** True while nothing is planted, but for a partition that falls silent. */
  readonly #plain: boolean
  #repeatDue = false

  constructor(settings: GeneratorSettings, startTimeMs: number) {
    assert(Number.isSafeInteger(startTimeMs) && startTimeMs >= 0, 'a sequence begins at a whole millisecond after 1970')
    this.#settings = settings
    this.#traffic = new Traffic(settings, startTimeMs)
    this.#random = new Random(settings.seed ^ 0x5bf0_3635)
    const within = Math.floor((settings.eventsPerSecond * settings.duplicateWithinMs) / 1000)
    this.#repeatWithin = Math.min(Math.max(within, 1), WAITING_MAX / 2)
    this.#malformedBelow = settings.malformedFraction
    this.#invalidBelow = this.#malformedBelow + settings.invalidFraction
    this.#lateBelow = this.#invalidBelow + settings.lateFraction
    this.#outOfOrderBelow = this.#lateBelow + settings.outOfOrderFraction
    this.#silentFromMs = settings.silentPartition < 0 ? Number.POSITIVE_INFINITY : startTimeMs + settings.silentAfterMs
    this.#plain = this.#outOfOrderBelow + settings.duplicateFraction + settings.fastClockMs === 0
  }

  /** Index of the event that `next` makes, unless it makes a repeat. */
  get nextIndex(): number {
    return this.#traffic.events
  }

  /** When event `index` is to be sent; repeats are sent right behind another event. */
  dueMs(index: number): number {
    return this.#traffic.dueMs(index)
  }

  /** The next row, valid until the one after it is asked for. Its partition is `NONE` when it is never sent. */
  next(): GeneratedEvent {
    const row = this.#take()
    if (row.partition === this.#settings.silentPartition && this.dueMs(this.nextIndex - 1) >= this.#silentFromMs) {
      row.partition = NONE
    }
    return row
  }

  #take(): GeneratedEvent {
    const event = this.#event
    if (this.#plain) {
      this.#traffic.next(event)
      return event
    }
    if (this.#repeatDue) {
      this.#repeatDue = false
      const slot = event.index % WAITING_MAX
      this.#waiting[slot] = 0
      const repeat = this.#repeats[slot]
      assert(repeat !== undefined, 'a repeat that is due was kept')
      return repeat
    }
    this.#traffic.next(event)
    this.#plant(event)
    if (this.#random.chance(this.#settings.duplicateFraction) && isAcceptable(event)) this.#keepRepeat(event)
    this.#repeatDue = this.#waiting[event.index % WAITING_MAX] === 1
    return event
  }

  #plant(event: GeneratedEvent): void {
    const random = this.#random
    const { lateMinMs, lateMaxMs, outOfOrderMaxMs, producers, fastClockMs } = this.#settings
    const draw = random.fraction()
    if (draw < this.#malformedBelow) {
      event.plant = MALFORMED
      event.damage = random.below(DAMAGE_KINDS.malformed.length)
    } else if (draw < this.#invalidBelow) {
      event.plant = INVALID
      event.damage = random.below(DAMAGE_KINDS.invalid.length)
    } else if (draw < this.#lateBelow) {
      event.plant = LATE
      event.timeMs -= lateMinMs + random.below(lateMaxMs - lateMinMs + 1)
    } else if (draw < this.#outOfOrderBelow) {
      event.plant = OUT_OF_ORDER
      event.timeMs -= random.below(outOfOrderMaxMs + 1)
    } else if (fastClockMs > 0 && event.session % producers === 0) {
      event.plant = FAST_CLOCK
      event.timeMs += fastClockMs
    }
  }

  /** Keeps a copy to be sent behind a later event; behind the next one that has no repeat yet, when that has one. */
  #keepRepeat(event: GeneratedEvent): void {
    const first = event.index + 1 + this.#random.below(this.#repeatWithin)
    for (let index = first; index < event.index + WAITING_MAX; index++) {
      const slot = index % WAITING_MAX
      if (this.#waiting[slot] === 1) continue
      const repeat = this.#repeats[slot] ?? new GeneratedEvent()
      repeat.copyFrom(event)
      repeat.plant = DUPLICATE
      this.#repeats[slot] = repeat
      this.#waiting[slot] = 1
      return
    }
  }
}

function isAcceptable(event: GeneratedEvent): boolean {
  return event.plant === CLEAN || event.plant === OUT_OF_ORDER
}
