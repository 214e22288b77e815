import type { JobState, JobStatus } from '../job/status.ts'
import { counter, gauge, histogram, sample } from '../metrics/family.ts'
import type { MetricFamily, MetricSample } from '../metrics/registry.ts'
import { modelMetrics } from './model-metrics.ts'

const STATES: readonly JobState[] = ['starting', 'recovering', 'running', 'finished', 'stopped', 'failed']

/**
 * What a job tells about itself as metrics. Labels are names from the plan and ids of partitions, never a value of an event;
 * what is not known yet has no sample rather than a zero.
 */
export function jobMetrics(status: JobStatus): MetricFamily[] {
  return [
    ...inputMetrics(status),
    ...timeMetrics(status),
    ...queryMetrics(status),
    ...sinkMetrics(status),
    ...modelMetrics(status),
    ...borrowedMetrics(status),
  ]
}

function inputMetrics({ state, rowsRead, bytesRead, fates, reasons, partitions }: JobStatus): MetricFamily[] {
  return [
    gauge(
      'millrace_job_state',
      'The state that the job is in has the value 1.',
      ['state'],
      STATES.map((name) => sample([name], name === state ? 1 : 0)),
    ),
    counter('millrace_rows_read_total', 'Rows read from the source.', [], [sample([], rowsRead)]),
    counter('millrace_read_bytes_total', 'Bytes read from the source.', [], [sample([], bytesRead)]),
    counter(
      'millrace_events_total',
      'Rows read, by what became of them; the fates add up to the rows read.',
      ['fate'],
      Object.entries(fates).map(([fate, rows]) => sample([fate], rows)),
    ),
    counter(
      'millrace_rejected_rows_total',
      'Rows that were not accepted, by reason.',
      ['fate', 'rule'],
      reasons.map(({ fate, rule, rows }) => sample([fate, rule], rows)),
    ),
    gauge(
      'millrace_consumer_lag',
      'Rows of a partition that are not read yet.',
      ['partition'],
      partitions.flatMap(({ id, position, endOffset }) =>
        endOffset === null ? [] : [sample([id], Math.max(0, endOffset - position))],
      ),
    ),
    gauge(
      'millrace_partition_idle',
      'Whether nothing has come from a partition for a while.',
      ['partition'],
      partitions.map(({ id, idleSinceMs }) => sample([id], idleSinceMs === null ? 0 : 1)),
    ),
  ]
}

function timeMetrics({ nowMs, epoch, epochs, latency, watermarks }: JobStatus): MetricFamily[] {
  const last = epochs.at(-1)
  const known = watermarks.flatMap(({ id, watermarkMs }) => (watermarkMs === null ? [] : [{ id, watermarkMs }]))
  return [
    gauge('millrace_epoch', 'The last epoch that is complete.', [], [sample([], epoch)]),
    // No quantiles beside it: Prometheus computes them from the buckets, of any time and over several jobs, and then only one series says it.
    histogram(
      'millrace_end_to_end_latency_seconds',
      'From the arrival of an event in the log until every sink shows what it leads to.',
      latency && {
        buckets: latency.sinceStart.buckets.map(({ leMs, rows }) => [leMs / 1000, rows]),
        sum: latency.sinceStart.sumMs / 1000,
        count: latency.sinceStart.rows,
      },
    ),
    gauge('millrace_epoch_rows', 'Rows of the last epoch.', [], last ? [sample([], last.rows)] : []),
    gauge(
      'millrace_epoch_duration_seconds',
      'Duration of the last epoch, by phase.',
      ['phase'],
      last
        ? [
            sample(['compute'], last.computeMs / 1000),
            sample(['prepare'], last.prepareMs / 1000),
            sample(['commit'], last.commitMs / 1000),
          ]
        : [],
    ),
    gauge(
      'millrace_watermark_seconds',
      'Event time up to which results are complete, since 1970.',
      ['watermark'],
      known.map(({ id, watermarkMs }) => sample([id], watermarkMs / 1000)),
    ),
    gauge(
      'millrace_watermark_lag_seconds',
      'How far the watermark is behind the clock.',
      ['watermark'],
      known.map(({ id, watermarkMs }) => sample([id], (nowMs - watermarkMs) / 1000)),
    ),
  ]
}

function queryMetrics({ queries }: JobStatus): MetricFamily[] {
  return [
    counter(
      'millrace_query_rows_total',
      'Result rows emitted by a query.',
      ['query'],
      queries.map(({ name, rowsEmitted }) => sample([name], rowsEmitted)),
    ),
    counter(
      'millrace_query_late_rows_total',
      'Rows that came after their window had closed.',
      ['query'],
      queries.map(({ name, lateRows }) => sample([name], lateRows)),
    ),
    gauge(
      'millrace_state_rows',
      'Groups that a query holds in its state.',
      ['operator'],
      queries.map(({ name, stateRows }) => sample([name], stateRows)),
    ),
    gauge(
      'millrace_open_windows',
      'Windows that have not closed yet.',
      ['query'],
      queries.map(({ name, openWindows }) => sample([name], openWindows.length)),
    ),
  ]
}

function sinkMetrics({ sinks }: JobStatus): MetricFamily[] {
  const bySink = (value: (sink: JobStatus['sinks'][number]) => number): MetricSample[] =>
    sinks.map((sink) => sample([sink.name], value(sink)))
  return [
    counter(
      'millrace_rows_out_total',
      'Rows committed to a sink.',
      ['sink'],
      bySink(({ rows }) => rows),
    ),
    counter(
      'millrace_files_out_total',
      'Files committed to a sink.',
      ['sink'],
      bySink(({ files }) => files),
    ),
    counter(
      'millrace_written_bytes_total',
      'Bytes committed to a sink.',
      ['sink'],
      bySink(({ bytes }) => bytes),
    ),
    gauge(
      'millrace_sink_waiting_rows',
      'Rows that wait for the file of a rolling sink.',
      ['sink'],
      sinks.flatMap(({ name, waitingRows }) => (waitingRows === null ? [] : [sample([name], waitingRows)])),
    ),
    gauge(
      'millrace_committed_epoch',
      'The last epoch committed to a sink.',
      ['sink'],
      bySink(({ committedEpoch }) => committedEpoch),
    ),
    gauge(
      'millrace_sink_failing',
      'Whether the last try to write to a sink failed.',
      ['sink'],
      bySink(({ lastError }) => (lastError === null ? 0 : 1)),
    ),
  ]
}

/** The names that dashboards of the system behind the preset `ecommerce` ask for. (D9) */
function borrowedMetrics({ fates, epochs, partitions, nowMs }: JobStatus): MetricFamily[] {
  const last = epochs.at(-1)
  const newestMs = Math.max(...partitions.map(({ maxEventTimeMs }) => maxEventTimeMs ?? Number.NEGATIVE_INFINITY))
  return [
    counter('events_processed_total', 'Rows that were accepted.', [], [sample([], fates.accepted)]),
    counter(
      'events_processing_errors_total',
      'Rows that were malformed or invalid.',
      [],
      [sample([], fates.malformed + fates.invalid)],
    ),
    gauge(
      'stream_processing_delay_seconds',
      'How far the newest event that was read is behind the clock.',
      [],
      Number.isFinite(newestMs) ? [sample([], (nowMs - newestMs) / 1000)] : [],
    ),
    gauge('batch_size_events', 'Rows of the last epoch.', [], last ? [sample([], last.rows)] : []),
  ]
}
