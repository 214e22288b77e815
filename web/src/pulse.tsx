import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { formatBytes, formatCount, formatLag, formatShortCount, formatTaken } from './format.ts'
import { RateChart } from './rate-chart.tsx'
import './pulse.css'

/** How fast the job reads, and what it has read. */
export function Pulse({ job }: { readonly job: JobStatus }): VNode {
  const watermarkMs = job.watermarks[0]?.watermarkMs ?? null
  const last = job.epochs.at(-1)
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
      </dl>
    </section>
  )
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
