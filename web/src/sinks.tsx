import type { VNode } from 'preact'
import type { JobStatus, SinkStatus } from '../../src/server/api.ts'
import { nowMs } from './feed.ts'
import { formatAge, formatBytes, formatCount } from './format.ts'
import './ends.css'

/** Tables and topics have rows alone. */
const FILE_KINDS: readonly string[] = ['parquet', 'csv', 'json']

/** Where the results go, and whether they get there. */
export function Sinks({ job }: { readonly job: JobStatus }): VNode {
  return (
    <section class="sinks" aria-labelledby="sinks">
      <h2 id="sinks">Sinks</h2>
      {job.sinks.length === 0 ? (
        <p class="empty">This pipeline writes to no sink; its results are shown here only.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">name and target</th>
              <th scope="col" class="number">
                rows
              </th>
              <th scope="col" class="number wide-only">
                files
              </th>
              <th scope="col" class="number wide-only">
                size
              </th>
              <th scope="col" class="number">
                epoch
              </th>
            </tr>
          </thead>
          <tbody>
            {job.sinks.map((sink) => (
              <SinkRow key={sink.name} sink={sink} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  )
}

function SinkRow({ sink }: { readonly sink: SinkStatus }): VNode {
  return (
    <tr data-test="sink">
      <th scope="row" class="key">
        <span class="cut">{sink.name}</span>
        <span class="cut muted target" title={sink.target}>
          {sink.target}
        </span>
        {sink.lastError !== null && <SinkError sink={sink} />}
      </th>
      <td class="number">
        {formatCount(sink.rows)}
        {sink.waitingRows !== null && (
          <span class="waiting-rows" title="rows that are safe and wait for their file">
            {formatCount(sink.waitingRows)} waiting
          </span>
        )}
      </td>
      <td class="number wide-only">{FILE_KINDS.includes(sink.kind) ? formatCount(sink.files) : '–'}</td>
      <td class="number wide-only">{formatBytes(sink.bytes)}</td>
      <td class="number" title="last epoch that is committed here">
        {formatCount(sink.committedEpoch)}
      </td>
    </tr>
  )
}

function SinkError({ sink: { lastError, nextTryMs } }: { readonly sink: SinkStatus }): VNode {
  const waitMs = nextTryMs === null ? 0 : nextTryMs - nowMs.value
  return (
    <span class="sink-error">
      {lastError}
      {waitMs > 0 && `; next try in ${formatAge(waitMs + 999)}`}
    </span>
  )
}
