import { type Clock, systemClock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import { nameHint } from '../plan/nearest-name.ts'

const WAIT_MS = 5_000
const PAUSE_MS = 250

/** Who is told that something is waited for, and whose time that takes: nobody, and the machine's clock, unless said otherwise. */
export interface TopicWait {
  readonly report?: (text: string) => void
  readonly clock?: Clock
}

/** Where a topic may appear. */
export interface TopicFinder<T> {
  /** For people: the rest of "there is no topic ...". */
  readonly where: string
  /** Undefined when it is not there. */
  find(topic: string): Promise<T | undefined>
  names(): Promise<readonly string[]>
}

/** Throws `invalid-option` when the topic does not come. */
export async function waitForTopic<T>(topic: string, finder: TopicFinder<T>, wait: TopicWait): Promise<T> {
  const found = await waitFor(`the topic "${topic}" ${finder.where}`, () => finder.find(topic), wait)
  if (found === undefined) throw unknownTopic(topic, finder.where, await finder.names())
  return found
}

/**
 * Whoever makes what is read may be slower to start than we are: it is waited for, five seconds and with a word. Undefined when it does
 * not come.
 */
export async function waitFor<T>(
  what: string,
  find: () => Promise<T | undefined>,
  wait: TopicWait,
): Promise<T | undefined> {
  const { report, clock = systemClock } = wait
  const deadlineMs = clock.now() + WAIT_MS
  for (let told = false; ; told = true) {
    const found = await find()
    if (found !== undefined || clock.now() >= deadlineMs) return found
    if (!told) report?.(`waiting for ${what}`)
    await clock.sleep(PAUSE_MS)
  }
}

function unknownTopic(topic: string, where: string, names: readonly string[]): MillraceError {
  return new MillraceError('invalid-option', `there is no topic "${topic}" ${where}`, {
    hint: `${nameHint(topic, names)}; \`millrace generate --topic ${topic}\` makes one with synthetic events, with --preset those of a preset`,
  })
}
