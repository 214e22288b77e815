/** What Spark tells of one micro-batch. */
export interface BatchProgress {
  readonly batchId: number
  readonly inputRows: number
  /** Ms since 1970; undefined without a watermark, or before any event. */
  readonly watermarkMs: number | undefined
  readonly durationMs: number
  /** Rows that its state holds, over all of its steps with state. */
  readonly stateRows: number
  /** Rows that came behind the watermark. */
  readonly lateRows: number
  /** Where it begins and ends; of Kafka: offset by partition by topic. null before the first. */
  readonly startOffset: unknown
  readonly endOffset: unknown
}

interface ProgressJson {
  readonly batchId: number
  readonly batchDuration?: number
  readonly eventTime?: { readonly watermark?: string }
  readonly stateOperators?: readonly { readonly numRowsTotal?: number; readonly numRowsDroppedByWatermark?: number }[]
  readonly sources?: readonly SourceJson[]
}

interface SourceJson {
  readonly startOffset?: unknown
  readonly endOffset?: unknown
  readonly numInputRows?: number
}

/** Reads an entry of Spark's progress. */
export function parseProgress(json: string): BatchProgress {
  const entry = JSON.parse(json) as ProgressJson
  const watermarkMs = Date.parse(entry.eventTime?.watermark ?? '')
  const operators = entry.stateOperators ?? []
  const sources = entry.sources ?? []
  return {
    batchId: entry.batchId,
    inputRows: sources.reduce((sum, one) => sum + (one.numInputRows ?? 0), 0),
    // Spark's watermark begins at 1970.
    watermarkMs: watermarkMs > 0 ? watermarkMs : undefined,
    durationMs: entry.batchDuration ?? 0,
    stateRows: operators.reduce((sum, one) => sum + (one.numRowsTotal ?? 0), 0),
    lateRows: operators.reduce((sum, one) => sum + (one.numRowsDroppedByWatermark ?? 0), 0),
    startOffset: parsedOffset(sources[0]?.startOffset),
    endOffset: parsedOffset(sources[0]?.endOffset),
  }
}

/** Some sources give JSON, others a text of it. */
function parsedOffset(offset: unknown): unknown {
  return typeof offset === 'string' ? JSON.parse(offset) : (offset ?? null)
}
