import type { VNode } from 'preact'
import type { JobStatus } from '../../src/server/api.ts'
import { formatAge, formatCount, formatShare, formatWindow } from './format.ts'
import { type FunnelStepView, type FunnelView, funnelOf, throughput } from './funnel.ts'
import './funnels.css'

/** The funnels of the pipeline, each as its last final window has it. Absent without one. */
export function Funnels({ job }: { readonly job: JobStatus }): VNode | null {
  const funnels = job.queries.flatMap((query) => funnelOf(query) ?? [])
  if (funnels.length === 0) return null
  return (
    <div class="funnels">
      {funnels.map((funnel) => (
        <Funnel key={funnel.name} funnel={funnel} />
      ))}
    </div>
  )
}

function Funnel({ funnel }: { readonly funnel: FunnelView }): VNode {
  const { name, window, steps } = funnel
  const { began, through } = throughput(steps)
  return (
    <section class="funnel" aria-labelledby={`funnel-${name}`} data-test="funnel">
      <div class="section-head">
        <h2 id={`funnel-${name}`}>Funnel {name}</h2>
        <p class="muted">
          {window
            ? `${formatCount(through)} of ${formatCount(began)} got through, ${formatShare(through, began)} · began ${formatWindow(window.startMs, window.endMs)}`
            : 'Attempts are told of when their time is over.'}
        </p>
      </div>
      <table>
        <caption class="visually-hidden">Steps of {name}</caption>
        <thead>
          <tr>
            <th scope="col">step</th>
            <th scope="col" class="number">
              came to it
            </th>
            <th scope="col" class="number">
              went on
            </th>
            <th scope="col" class="number">
              gave up
            </th>
            <th scope="col" class="number">
              took (median)
            </th>
          </tr>
        </thead>
        <tbody>
          {steps.map((step) => (
            <Step key={`${step.step} ${step.name}`} step={step} began={began} />
          ))}
        </tbody>
      </table>
    </section>
  )
}

function Step({ step, began }: { readonly step: FunnelStepView; readonly began: number }): VNode {
  const { name, entered, converted, dropped, medianMs } = step
  const isEnd = converted + dropped === 0
  return (
    <tr data-test="funnel-step">
      <th scope="row" class="key">
        <div class="share" style={{ transform: `scaleX(${began === 0 ? 0 : entered / began})` }} />
        <span class="key-text">
          <bdi>{name}</bdi>
        </span>
      </th>
      <td class="number">{formatCount(entered)}</td>
      <td class="number">{isEnd ? '–' : formatShare(converted, entered)}</td>
      <td class="number">{isEnd ? '–' : formatCount(dropped)}</td>
      <td class="number">{medianMs === null ? '–' : formatAge(medianMs)}</td>
    </tr>
  )
}
