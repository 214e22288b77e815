import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import { fileSource } from '../../plan/connectors.ts'
import type { PipelinePlan, QueryPlan } from '../../plan/node.ts'
import { queryChain } from '../../plan/query-chain.ts'
import { keyColumns, resultFields } from '../../plan/result-schema.ts'
import { createSource } from '../../sources/index.ts'
import type { Source } from '../../sources/source.ts'
import { compileQuery } from '../../spark/compile.ts'
import { jsonRows } from '../../spark/encode.ts'
import { literalPath } from '../../spark/places.ts'
import type { BatchProgress } from '../../spark/progress.ts'
import { SparkRun, type WatchSettings } from '../../spark/run.ts'
import type { ReadSettings } from '../../spark/source-rows.ts'
import type { SparkQuery } from '../../spark/write-stream.ts'
import { withSource } from '../adapt-plan.ts'
import { type Comparison, compareRows } from './compare.ts'
import { type InputCut, writeCuts } from './input-cuts.ts'
import { type InvolvedEvent, involvedEvents } from './involved-events.ts'
import { type DatedRow, type EpochCut, type ResultRow, replay } from './replay.ts'
import { sinkBatches } from './sink-log.ts'

/** What is to be compared, and where. */
export interface VerifyRequest {
  /** Made by `sparkPlan`; its source is what is read. */
  readonly plan: PipelinePlan
  readonly source: Source
  /** A folder that Spark and this process both have, for the input, Spark's rows and its checkpoints. New each time. */
  readonly workFolder: string
  /** Pieces that the input is cut into, each a micro-batch. */
  readonly cutCount: number
  readonly read: ReadSettings
  readonly watch: WatchSettings
  readonly tell: (text: string) => void
}

/** How one query compares. */
export interface QueryVerdict extends Comparison {
  readonly query: string
  readonly batches: number
  readonly lateRows: number
  /** Of the first difference. */
  readonly events: readonly InvolvedEvent[]
}

/** Runs the windowed queries of a plan over recorded input on Spark, then here with the same cuts, and compares all rows. */
export async function verify(request: VerifyRequest): Promise<QueryVerdict[]> {
  const windowed = request.plan.queries.filter(({ root }) => queryChain(root).aggregate)
  const plan = { ...request.plan, queries: windowed }
  if (windowed.length === 0) {
    throw new MillraceError('invalid-option', `no query of "${plan.name}" has windows that Spark can compute`, {
      hint: 'see `millrace plan --spark`',
    })
  }
  const input = await openInput(request)
  try {
    return await compareAll({ ...request, plan: input.adapt(plan), read: { ...request.read, ...input.read } }, input)
  } finally {
    await input.close()
  }
}

async function compareAll(request: VerifyRequest, input: Input): Promise<QueryVerdict[]> {
  const { plan, workFolder } = request
  const queries = plan.queries.map((query) => verifyQuery(plan, query, workFolder, request.read))
  const run = new SparkRun(queries, request.watch, request.tell)
  const schedules = new Map<string, BatchProgress[]>()
  try {
    await run.run()
    for (const { name } of queries) schedules.set(name, wholeSchedule(name, await run.batches(name)))
  } finally {
    await run.close()
  }
  const verdicts: QueryVerdict[] = []
  const replays = new Map<string, { cuts: EpochCut[]; rows: ReadonlyMap<string, DatedRow[]> }>()
  for (const query of plan.queries) {
    const batches = schedules.get(query.name) ?? []
    const cuts = input.cutsOf(batches)
    const schedule = JSON.stringify(cuts)
    const done = replays.get(schedule) ?? { cuts, rows: await replay(plan, input.source, cuts) }
    replays.set(schedule, done)
    verdicts.push(await judge(request, query, batches, done.rows.get(query.name) ?? [], cuts, input.source))
  }
  return verdicts
}

/** Spark forgets what it has told of micro-batches when it is lost: without all of them nothing can be compared. */
function wholeSchedule(name: string, batches: readonly BatchProgress[]): BatchProgress[] {
  if (batches.every(({ batchId }, index) => batchId === index)) return [...batches]
  throw new MillraceError(
    'unavailable',
    `Spark was lost while it ran ${name}, and with it what its micro-batches have read`,
    {
      hint: 'compare again, with a new --work',
    },
  )
}

async function judge(
  { plan, workFolder }: VerifyRequest,
  query: QueryPlan,
  batches: readonly BatchProgress[],
  here: readonly DatedRow[],
  cuts: readonly EpochCut[],
  source: Source,
): Promise<QueryVerdict> {
  const spark = await readRows(join(workFolder, 'rows', query.name))
  const compared = compareRows(here, spark, resultFields(query), keyColumns(query))
  const { first } = compared
  return {
    ...compared,
    query: query.name,
    batches: batches.length,
    lateRows: batches.reduce((sum, batch) => sum + batch.lateRows, 0),
    events: first ? await involvedEvents(plan, query, first.key, source, cuts) : [],
  }
}

function verifyQuery(plan: PipelinePlan, query: QueryPlan, workFolder: string, read: ReadSettings): SparkQuery {
  const parent = join(workFolder, 'checkpoints', query.name)
  const checkpoint = { parent, folder: join(parent, 'verify') }
  return {
    name: query.name,
    query,
    checkpoint,
    stream: {
      input: jsonRows(compileQuery(plan, query, read), resultFields(query)),
      format: 'text',
      path: join(workFolder, 'rows', query.name),
      options: { checkpointLocation: checkpoint.folder },
      partitioning_column_names: [],
      output_mode: 'append',
      query_name: query.name,
      available_now: true,
    },
  }
}

async function readRows(folder: string): Promise<DatedRow[]> {
  const rows: DatedRow[] = []
  for (const { batchId, files } of await sinkBatches(folder, 0)) {
    for (const file of files) {
      const lines = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '')
      for (const line of lines) rows.push({ epoch: batchId, row: JSON.parse(line) as ResultRow })
    }
  }
  return rows
}

interface Input {
  readonly source: Source
  /** How much of it a micro-batch reads. */
  readonly read: ReadSettings
  /** The plan over what is read in fact. */
  adapt(plan: PipelinePlan): PipelinePlan
  /** What each micro-batch has read, by what Spark tells of it. */
  cutsOf(batches: readonly BatchProgress[]): EpochCut[]
  close(): Promise<void>
}

async function openInput({ source, workFolder, cutCount }: VerifyRequest): Promise<Input> {
  if (!source.bounded) return topicInput(source, cutCount)
  const folder = join(workFolder, 'input')
  await mkdir(folder, { recursive: true })
  const cuts = await writeCuts(source, folder, cutCount)
  const spec = fileSource(...cuts.map(({ path }) => path))
  const pieces = await createSource(spec, {
    workingFolder: folder,
    stdin: process.stdin,
    openLog: () => Promise.reject(new Error('files are no log')),
  })
  return {
    source: pieces,
    read: { filesPerTriggerMax: 1 },
    adapt: (plan) => withSource(plan, fileSource(`${literalPath(folder)}/*.ndjson`)),
    cutsOf: (batches) => fileCuts(batches, cuts),
    close: () => pieces.close(),
  }
}

function fileCuts(batches: readonly BatchProgress[], cuts: readonly InputCut[]): EpochCut[] {
  let next = 0
  return batches.map(({ inputRows, batchId }) => {
    if (inputRows === 0) return []
    const cut = cuts[next++]
    if (cut?.lines === inputRows) return [{ partition: cut.path, from: 0, to: cut.lines }]
    throw new MillraceError('corrupt-data', `micro-batch ${batchId} read ${inputRows} lines, not ${cut?.lines ?? 0}`, {
      hint: 'something else writes into the work folder: give another --work',
    })
  })
}

/** Offsets by topic and partition, as Spark tells them. */
type Offsets = Readonly<Record<string, Readonly<Record<string, number>>>>

async function topicInput(source: Source, cutCount: number): Promise<Input> {
  const offsets = [...(await source.offsets()).values()]
  const records = offsets.reduce((sum, { start, end }) => sum + (end ?? start) - start, 0)
  const starts = new Map((await source.partitions()).map(({ id, startOffset }) => [id, startOffset]))
  return {
    source,
    read: { rowsPerTriggerMax: Math.max(1, Math.ceil(records / cutCount)) },
    adapt: (plan) => plan,
    cutsOf: (batches) =>
      batches.map(({ startOffset, endOffset }) => {
        const [before, after] = [flatOffsets(startOffset), flatOffsets(endOffset)]
        return [...after].flatMap(([partition, to]) => {
          const from = before.get(partition) ?? starts.get(partition) ?? 0
          return to > from ? [{ partition, from, to }] : []
        })
      }),
    close: async () => {},
  }
}

/** By the ids that a topic's partitions have here. */
function flatOffsets(offsets: unknown): Map<string, number> {
  return new Map(
    Object.entries((offsets ?? {}) as Offsets).flatMap(([topic, own]) =>
      Object.entries(own).map(([partition, offset]) => [`${topic}-${partition}`, offset] as const),
    ),
  )
}
