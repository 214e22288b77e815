import type { VNode } from 'preact'
import type { SparkQueryStatus } from '../../src/server/api.ts'
import { formatCount, formatDateTime, formatTaken, formatTime } from './format.ts'
import './spark-queries.css'

/** How the queries stand that Spark runs for this job. */
export function SparkQueries({ queries }: { readonly queries: readonly SparkQueryStatus[] }): VNode {
  return (
    <section class="spark-queries" aria-labelledby="spark-queries">
      <h2 id="spark-queries">
        Queries on Spark <small class="wide-only">rows, late rows and time are those of the last micro-batch</small>
      </h2>
      <table>
        <thead>
          <tr>
            <th scope="col">query</th>
            <th scope="col" class="number">
              batches
            </th>
            <th scope="col" class="number">
              rows
            </th>
            <th scope="col" class="number wide-only">
              late
            </th>
            <th scope="col" class="number wide-only">
              took
            </th>
            <th scope="col" class="number wide-only">
              state rows
            </th>
            <th scope="col" class="number wide-only" title="rows that came into the table since this process began">
              relayed
            </th>
            <th scope="col" class="number">
              watermark
            </th>
          </tr>
        </thead>
        <tbody>
          {queries.map((query) => (
            <QueryRow key={query.name} query={query} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function QueryRow({ query }: { readonly query: SparkQueryStatus }): VNode {
  const { name, state, batches, batchRows, batchLateRows, batchMs, stateRows, relayedRows, watermarkMs } = query
  return (
    <tr data-test="spark-query">
      <th scope="row" class="key">
        <bdi class="cut" title={name}>
          {name}
        </bdi>
        <span class={`spark-state spark-${state}`}>{stateText(query)}</span>
      </th>
      <td class="number">{formatCount(batches)}</td>
      <td class="number">{counted(batchRows)}</td>
      <td class="number wide-only">{counted(batchLateRows)}</td>
      <td class="number wide-only">{batchMs === null ? '–' : formatTaken(batchMs)}</td>
      <td class="number wide-only">{counted(stateRows)}</td>
      <td class="number wide-only">{counted(relayedRows)}</td>
      <td class="number" title={watermarkMs === null ? undefined : formatDateTime(watermarkMs)}>
        {watermarkMs === null ? '–' : formatTime(watermarkMs)}
      </td>
    </tr>
  )
}

function counted(count: number | null): string {
  return count === null ? '–' : formatCount(count)
}

function stateText({ state, restarts }: SparkQueryStatus): string {
  const text = state === 'lost' ? 'lost, to be started again' : state
  return restarts === 0 ? text : `${text}, ${formatCount(restarts)} restart${restarts === 1 ? '' : 's'}`
}
