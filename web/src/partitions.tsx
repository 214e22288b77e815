import type { VNode } from 'preact'
import type { JobStatus, PartitionStatus } from '../../src/server/api.ts'
import { nowMs } from './feed.ts'
import { formatAge, formatCount, formatDateTime, formatTime } from './format.ts'
import './ends.css'

const ROWS_MAX = 12

/** How far each partition of the source has been read. */
export function Partitions({ job }: { readonly job: JobStatus }): VNode {
  const heldBy = job.watermarks[0]?.heldByPartition ?? null
  const hidden = job.partitions.length - ROWS_MAX
  return (
    <section class="partitions" aria-labelledby="partitions">
      <h2 id="partitions">Partitions</h2>
      {job.partitions.length === 0 ? (
        <p class="empty">The source has no partitions yet.</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">partition</th>
              <th scope="col" class="number">
                position
              </th>
              <th scope="col" class="number">
                lag
              </th>
              <th scope="col" class="number">
                newest
              </th>
              <th scope="col" class="wide-only">
                state
              </th>
            </tr>
          </thead>
          <tbody>
            {job.partitions.slice(0, ROWS_MAX).map((partition, index) => (
              <PartitionRow key={partition.id} partition={partition} holds={index === heldBy} />
            ))}
          </tbody>
        </table>
      )}
      {hidden > 0 && <p class="muted footnote">and {formatCount(hidden)} more at /api/status</p>}
    </section>
  )
}

function PartitionRow({ partition, holds }: { readonly partition: PartitionStatus; readonly holds: boolean }): VNode {
  const { id, position, endOffset, maxEventTimeMs } = partition
  return (
    <tr data-test="partition">
      <th scope="row" class="key">
        <span class="cut">{id}</span>
      </th>
      <td class="number">{formatCount(position)}</td>
      <td class="number">{endOffset === null ? '–' : formatCount(Math.max(0, endOffset - position))}</td>
      <td class="number" title={maxEventTimeMs === null ? undefined : formatDateTime(maxEventTimeMs)}>
        {maxEventTimeMs === null ? '–' : formatTime(maxEventTimeMs)}
      </td>
      <td class="wide-only partition-state">
        {holds ? <span class="holds">holds the watermark</span> : stateOf(partition)}
      </td>
    </tr>
  )
}

function stateOf({ ended, idleSinceMs, position, endOffset }: PartitionStatus): string {
  if (ended) return 'ended'
  if (idleSinceMs !== null) return `idle for ${formatAge(nowMs.value - idleSinceMs)}`
  return endOffset !== null && endOffset > position ? 'reading' : 'up to date'
}
