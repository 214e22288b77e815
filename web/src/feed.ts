import { computed, effect, type ReadonlySignal, type Signal, signal } from '@preact/signals'
import type { JobStatus } from '../../src/server/api.ts'

/** How the page hangs on the job. */
export type Connection =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  /** The connection broke, and the page tries again by itself. */
  | { readonly kind: 'lost' }
  /** The server wants the token again. */
  | { readonly kind: 'signed-out' }

const RETRY_MS_MIN = 1_000
const RETRY_MS_MAX = 10_000

const latest: Signal<JobStatus | null> = signal(null)
const frozen: Signal<JobStatus | null> = signal(null)
const arrivedAtMs = signal(0)

export const connection: Signal<Connection> = signal({ kind: 'connecting' })

/** The job as the page shows it: the newest state, or while paused the one it was paused at. */
export const status: ReadonlySignal<JobStatus | null> = computed(() => frozen.value ?? latest.value)

export const paused: ReadonlySignal<boolean> = computed(() => frozen.value !== null)

/** The job's newest state, also while paused. */
export const newestStatus: ReadonlySignal<JobStatus | null> = latest

export function togglePause(): void {
  frozen.value = frozen.value === null ? latest.value : null
}

const ticks = signal(performance.now())

/** The server's time as the page shows it; it goes on between two states, and stands while paused, cut off, or at the end. */
export const nowMs: ReadonlySignal<number> = computed(() => {
  const shown = status.value
  if (!shown) return Date.now()
  const goesOn = !paused.value && connection.value.kind === 'live' && isActive(shown)
  return goesOn ? shown.nowMs + Math.max(0, ticks.value - arrivedAtMs.value) : shown.nowMs
})

/** Whether the job still does something. */
export function isActive(job: JobStatus): boolean {
  return job.state === 'starting' || job.state === 'recovering' || job.state === 'running'
}

/** Follows the job for as long as the page lives. */
export function watchJob(): void {
  connect(RETRY_MS_MIN)
  setInterval(() => {
    ticks.value = performance.now()
  }, 500)
  effect(() => {
    const job = status.value
    if (!job) return
    const what = job.spark ? 'Spark' : `${Math.round(job.eventsPerSecond).toLocaleString('en-US')}/s`
    document.title = `${what} · ${job.pipeline}`
  })
}

function connect(retryMs: number): void {
  const source = new EventSource('/api/stream')
  let nextRetryMs = retryMs
  source.addEventListener('open', () => {
    nextRetryMs = RETRY_MS_MIN
    connection.value = { kind: 'live' }
  })
  source.addEventListener('status', (event: MessageEvent<string>) => {
    latest.value = JSON.parse(event.data) as JobStatus
    arrivedAtMs.value = performance.now()
    ticks.value = arrivedAtMs.value
  })
  source.addEventListener('error', () => {
    const refused = source.readyState === EventSource.CLOSED
    if (!refused || connection.value.kind !== 'signed-out') connection.value = { kind: 'lost' }
    if (!refused) return // The browser tries again by itself.
    setTimeout(() => connect(Math.min(nextRetryMs * 2, RETRY_MS_MAX)), nextRetryMs)
    void learnWhyRefused()
  })
}

/** An event source does not tell. */
async function learnWhyRefused(): Promise<void> {
  const answer = await fetch('/api/status', { method: 'HEAD' }).catch(() => null)
  if (connection.value.kind !== 'live') connection.value = { kind: answer?.status === 401 ? 'signed-out' : 'lost' }
}
