/**
 * What the server and the page say to each other; the page imports these types and nothing else of the source tree.
 *
 *   GET /api/status            JobStatus
 *   GET /api/stream            server-sent events: `status` with a JobStatus, at once and then about four times a second
 *   GET /api/queries/:name     QueryView
 *   GET /api/models            ModelSummary[]
 *   GET /api/predict?...       ToldPrediction, of a model with classes ToldClasses; `model=NAME`, where there are several, and features by name: `clicks=3&device=mobile`
 *   POST /api/query            {"sql": "select ..."}: rows of the result store, when the job has one
 *   GET /healthz  /readyz      200 or 503, plain text
 *   GET /metrics               Prometheus text
 */
export type {
  ColumnView,
  JobStatus,
  PartitionStatus,
  QueryView,
  SinkStatus,
  SparkQueryStatus,
  WatermarkView,
  WindowRows,
} from '../job/status.ts'

export type { CalibrationBin } from '../ml/metrics/calibration.ts'
export type { ModelEvent } from '../ml/model-event.ts'
export type { ModelSummary, NamedWeight } from '../ml/model-summary.ts'

/** Answer to a request that failed. */
export interface ApiError {
  readonly error: { readonly code: string; readonly message: string; readonly hint: string }
}
