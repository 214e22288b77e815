import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { formatBytes, formatCount, formatLag, formatShortCount, formatTaken } from './format.ts'
import { RateChart } from './rate-chart.tsx'
import './pulse.css'

/** How fast the job reads, and what it has read. */
export function Pulse({ job }: { readonly job: JobStatus }): VNode {
  const watermarkMs = job.watermarks[0]?.watermarkMs ?? null
  const last = job.epochs.at(-1)
  const { latency } = job
  return (
    <section class="pulse" aria-label="Throughput">
      <p class="rate">
        <span class="rate-number" data-test="rate">
          {formatShortCount(job.eventsPerSecond)}
        </span>
        <span class="rate-unit">events per second</span>
      </p>
      <RateChart />
      <dl class="facts">
        <Fact
          name="Read"
          value={formatShortCount(job.rowsRead)}
          title={`${formatCount(job.rowsRead)} events`}
          test="read"
        />
        <Fact name="Accepted" value={formatShortCount(job.fates.accepted)} title={formatCount(job.fates.accepted)} />
        <Fact name="Volume" value={formatBytes(job.bytesRead)} />
        <Fact name="Epoch" value={formatCount(job.epoch)} />
        <Fact name="Last epoch" value={last ? formatTaken(last.computeMs + last.prepareMs + last.commitMs) : '–'} />
        <Fact name="Behind the clock" value={watermarkMs === null ? '–' : formatLag(job.nowMs - watermarkMs)} />
        <Fact name="Latency p50" value={latencyText(latency?.p50Ms)} title={latencyTitle(latency)} test="latency-p50" />
        <Fact name="Latency p99" value={latencyText(latency?.p99Ms)} title={latencyTitle(latency)} test="latency-p99" />
      </dl>
    </section>
  )
}

/** Latencies are whole milliseconds. */
function latencyText(latencyMs: number | undefined): string {
  if (latencyMs === undefined) return '–'
  return latencyMs < 1_000 ? `${latencyMs} ms` : formatLag(latencyMs)
}

function latencyTitle(latency: JobStatus['latency']): string {
  if (latency === null) return ''
  const [half, most, all] = [latency.p50Ms, latency.p99Ms, latency.maxMs].map(latencyText)
  return `From an event's arrival in the log until every sink shows what it leads to: half within ${half}, 99 of 100 within ${most}, all within ${all}`
}

interface FactProps {
  readonly name: string
  readonly value: string
  readonly title?: string
  readonly test?: string
}

function Fact({ name, value, title, test }: FactProps): VNode {
  return (
    <div class="fact">
      <dt>{name}</dt>
      <dd title={title} data-test={test}>
        {value}
      </dd>
    </div>
  )
}
