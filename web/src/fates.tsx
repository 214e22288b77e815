import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { formatCount, formatShare } from './format.ts'
import './fates.css'

type Fate = keyof JobStatus['fates']

/** Each fate in words, the good one first, then in the order in which they are decided. */
const MEANINGS: Readonly<Record<Fate, string>> = {
  accepted: 'counted in the results',
  late: 'came after its windows had closed',
  duplicate: 'the same event had been read before',
  filtered: 'not wanted by the pipeline',
  malformed: 'cannot be read as an event',
  invalid: 'breaks a rule of the schema',
  future: 'its clock is too far ahead',
  expired: 'too old to be taken in',
}
const FATES = Object.keys(MEANINGS) as Fate[]
const REASONS = 5

/** What became of every row that was read. The fates add up to the rows read. */
export function Fates({ job }: { readonly job: JobStatus }): VNode {
  return (
    <section class="fates" aria-labelledby="fates">
      <div class="section-head">
        <h2 id="fates">Fates</h2>
        <p class="muted">of {formatCount(job.rowsRead)} rows</p>
      </div>
      <div class="fate-bar" aria-hidden="true">
        {FATES.filter((fate) => job.fates[fate] > 0).map((fate) => (
          <div key={fate} class={`fate-${fate}`} style={{ flexGrow: job.fates[fate], minWidth: '3px' }} />
        ))}
      </div>
      <table>
        <caption class="visually-hidden">Rows by fate</caption>
        <thead class="visually-hidden">
          <tr>
            <th scope="col">fate</th>
            <th scope="col">rows</th>
            <th scope="col">share</th>
          </tr>
        </thead>
        <tbody>
          {FATES.map((fate) => (
            <tr key={fate} class={job.fates[fate] === 0 ? 'none' : ''} data-test={`fate-${fate}`}>
              <th scope="row" title={MEANINGS[fate]}>
                <span class={`swatch fate-${fate}`} aria-hidden="true" />
                {fate}
              </th>
              <td class="number">{formatCount(job.fates[fate])}</td>
              <td class="number share-cell">{formatShare(job.fates[fate], job.rowsRead)}</td>
            </tr>
          ))}
        </tbody>
      </table>
      <Reasons job={job} />
    </section>
  )
}

function Reasons({ job }: { readonly job: JobStatus }): VNode {
  if (job.reasons.length === 0) return <p class="muted footnote">No row has been turned away.</p>
  return (
    <>
      <h3>Reasons</h3>
      <ol class="reasons">
        {job.reasons.slice(0, REASONS).map(({ fate, rule, rows }) => (
          <li key={`${fate} ${rule}`}>
            <span class="reason" title={rule ? `${fate} · ${rule}` : fate}>
              {fate}
              {rule && (
                <>
                  {' · '}
                  <bdi>{rule}</bdi>
                </>
              )}
            </span>
            <span class="number">{formatCount(rows)}</span>
          </li>
        ))}
      </ol>
    </>
  )
}
