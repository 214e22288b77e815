import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { connection, isActive } from './feed.ts'
import { formatTime } from './format.ts'
import './banners.css'

/** What the reader should know before reading on. */
export function Banners({ job }: { readonly job: JobStatus }): VNode {
  return (
    <div class="banners" aria-live="polite">
      {job.error && (
        <p class="banner banner-error">
          <strong>{job.state === 'failed' ? 'The job has failed:' : 'The job waits:'}</strong>{' '}
          <bdi>{job.error.message}</bdi>
          <span class="banner-hint">{job.error.hint}</span>
        </p>
      )}
      <ConnectionBanner job={job} />
      {job.recovery && (
        <p class="banner banner-note">
          <strong>Recovered:</strong> <bdi>{job.recovery}</bdi>
        </p>
      )}
    </div>
  )
}

function ConnectionBanner({ job }: { readonly job: JobStatus }): VNode | null {
  const state = connection.value
  if (state.kind === 'signed-out') {
    return (
      <p class="banner banner-error">
        <strong>Signed out.</strong> Open the page once with ?token= and the token that Millrace was started with.
      </p>
    )
  }
  if (!isActive(job) && !job.error) {
    return (
      <p class="banner banner-note">
        <strong>The job has {job.state === 'stopped' ? 'stopped' : 'finished'}.</strong> These are its last results.
      </p>
    )
  }
  if (state.kind !== 'lost') return null
  return (
    <p class="banner banner-warning">
      <strong>Connection lost.</strong> What you see is from {formatTime(job.nowMs)} UTC. The page reconnects by itself.
    </p>
  )
}
