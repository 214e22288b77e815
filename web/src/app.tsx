import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { Banners } from './banners.tsx'
import { ClosedWindows } from './closed-windows.tsx'
import { EventTime } from './event-time.tsx'
import { Fates } from './fates.tsx'
import { connection, status } from './feed.ts'
import { Funnels } from './funnels.tsx'
import { Header } from './header.tsx'
import { Help } from './help.tsx'
import { Models } from './models.tsx'
import { Partitions } from './partitions.tsx'
import { Pulse } from './pulse.tsx'
import { Sinks } from './sinks.tsx'
import { SparkQueries } from './spark-queries.tsx'
import { TopGroups } from './top-groups.tsx'

/** The one screen: how fast, how far in event time, what comes out, what became of every row, where it goes. */
export function App(): VNode {
  const job = status.value
  if (!job) return <Waiting />
  return (
    <div class="page">
      <Header job={job} />
      <Banners job={job} />
      <main>{job.spark ? <SparkQueries queries={job.spark} /> : <RunsHere job={job} />}</main>
      <Help />
    </div>
  )
}

/** All that is known of a job whose events are processed by this process. */
function RunsHere({ job }: { readonly job: JobStatus }): VNode {
  return (
    <>
      <Pulse job={job} />
      <EventTime job={job} />
      <div class="results">
        <TopGroups job={job} />
        <ClosedWindows job={job} />
        <Fates job={job} />
      </div>
      <Funnels job={job} />
      <Models job={job} />
      <div class="ends">
        <Sinks job={job} />
        <Partitions job={job} />
      </div>
    </>
  )
}

/** Before the first state. */
function Waiting(): VNode {
  const { kind } = connection.value
  return (
    <main class="waiting">
      <h1>Millrace</h1>
      {kind === 'signed-out' && <p>Open the page once with ?token= and the token that Millrace was started with.</p>}
      {kind === 'lost' && <p>The job does not answer. Trying again every few seconds.</p>}
      {(kind === 'connecting' || kind === 'live') && <p>Connecting to the job …</p>}
    </main>
  )
}
