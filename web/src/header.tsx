import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { connection, isActive, nowMs, paused, togglePause } from './feed.ts'
import { formatAge } from './format.ts'
import { showHelp } from './help.tsx'
import './header.css'

/** Which job this is, how it is, and whether the page still hears from it. */
export function Header({ job }: { readonly job: JobStatus }): VNode {
  return (
    <header class="header">
      <svg class="logo" viewBox="0 0 32 22" aria-hidden="true">
        <path d="M2 4c4.7-4 9.3-4 14 0s9.3 4 14 0" />
        <path d="M2 11c4.7-4 9.3-4 14 0s9.3 4 14 0" />
        <path d="M2 18c4.7-4 9.3-4 14 0s9.3 4 14 0" />
      </svg>
      <h1 title={job.pipeline}>
        <bdi>{job.pipeline}</bdi>
      </h1>
      <p class={`state state-${job.state}`}>
        <span class="dot" aria-hidden="true" />
        {job.state}
        <span class="uptime">{formatAge(nowMs.value - job.startedAtMs)}</span>
      </p>
      <Connected ended={!isActive(job)} />
      <button type="button" class="tool" aria-pressed={paused.value} onClick={togglePause}>
        {paused.value ? 'Resume' : 'Pause'} <kbd>space</kbd>
      </button>
      <button type="button" class="tool" onClick={showHelp}>
        Help <kbd>?</kbd>
      </button>
    </header>
  )
}

function Connected({ ended }: { readonly ended: boolean }): VNode {
  const kind = linkKind(ended)
  return (
    <p class={`connection connection-${kind}`} role="status">
      <span class="dot" aria-hidden="true" />
      {LINK_TEXTS[kind]}
    </p>
  )
}

const LINK_TEXTS = {
  connecting: 'connecting',
  live: 'live',
  paused: 'paused',
  lost: 'reconnecting',
  ended: 'ended',
  'signed-out': 'signed out',
} as const

function linkKind(ended: boolean): keyof typeof LINK_TEXTS {
  const { kind } = connection.value
  if (kind === 'live' && paused.value) return 'paused'
  return kind === 'lost' && ended ? 'ended' : kind
}
