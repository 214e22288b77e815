import { randomBytes, randomInt } from 'node:crypto'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { Clock } from '../base/clock.ts'
import { MillraceError } from '../base/error.ts'
import type { LockTakeOver } from '../base/lock-file.ts'
import type { EngineOptions, QueryOutput } from '../engine/engine.ts'
import { createEngine } from '../engine/pipeline.ts'
import type { Log } from '../log/log.ts'
import { assertPlan } from '../plan/check.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import type { Sink } from '../sinks/sink.ts'
import type { Source } from '../sources/source.ts'
import { Checkpoint, type CheckpointDisk } from './checkpoint.ts'
import { assertFits, assertSamePartitions, type CheckpointIdentity, identityOf } from './checkpoint-identity.ts'
import { createDecoder } from './create-decoder.ts'
import { DeadLetterFile } from './dead-letter-file.ts'
import { loadDecoderModule } from './decoder-module.ts'
import type { EpochRunner } from './epoch-runner.ts'
import { Job } from './job.ts'
import type { JobParts, JobSettings } from './job-parts.ts'
import { LocalRunner } from './local-runner.ts'
import { needsOneThread } from './one-thread.ts'
import { ParallelRunner } from './parallel-runner.ts'
import { SinkGroup, type SinkGroupContext } from './sink-group.ts'

const GROUPS_MAX = 2_000_000
const DICTIONARY_ENTRIES_MAX = 1 << 20

/** What a run is made from. */
export interface JobRequest extends CheckpointDisk {
  readonly plan: PipelinePlan
  readonly source: Source
  /** Folder of the checkpoint; undefined for a run that keeps nothing to go on from. */
  readonly checkpointFolder: string | undefined
  readonly deadLetterFolder: string
  /** Relative output paths start here. */
  readonly workingFolder: string
  /** Folder of Millrace's own things; the working folder when absent. */
  readonly homeFolder?: string
  /** Addresses of servers, as the environment has them. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Names of sinks to go on with at the next epoch, whatever their marks say. */
  readonly resetSinks?: readonly string[]
  /** Takes the checkpoint from a process that has it and hangs. */
  readonly takeOver?: boolean
  readonly settings: JobSettings
  readonly live: boolean
  /** Threads to compute in; as many as there are processors when undefined, never more than partitions. */
  readonly parallelism?: number
  readonly clock: Clock
  readonly print: (text: string) => void
  /** Connects to the cluster that Kafka sinks write to. */
  readonly openKafka?: () => Promise<Log>
  /** Key of persisted hashes for a new checkpoint; drawn when absent. */
  readonly hashKey?: readonly [number, number]
  /** Decodes in plain TypeScript: for many short jobs, in which to set up a decoder is most of the work. */
  readonly plainDecoder?: boolean
  /** Sinks that only show rows, besides those of the plan. */
  readonly views: readonly QueryView[]
}

/** Shows a query's rows, in append mode, once they are committed. */
export interface QueryView {
  readonly query: string
  readonly sink: Sink
}

/** Puts a job together: checks the plan, opens the checkpoint, compiles, makes the sinks. Whatever fails, nothing stays open. */
export async function openJob(request: JobRequest): Promise<Job> {
  const { plan, source } = request
  assertPlan(plan)
  const identity = identityOf(plan, source)
  const who = `millrace pipeline "${plan.name}"`
  const checkpoint =
    request.checkpointFolder === undefined
      ? undefined
      : await Checkpoint.open(request.checkpointFolder, who, { ...request, lockTakeOver: lockTakeOver(request) })
  try {
    await assertGoesOn(checkpoint, identity, source)
    return new Job(await assemble(request, checkpoint, identity))
  } catch (error) {
    await checkpoint?.close()
    throw error
  }
}

/** A checkpoint must be of these queries over this source, and of a run that has not been flushed. */
async function assertGoesOn(
  checkpoint: Checkpoint | undefined,
  identity: CheckpointIdentity,
  source: Source,
): Promise<void> {
  const header = checkpoint?.content.snapshot?.header
  if (!checkpoint || !header) return
  assertFits(header.identity, identity, checkpoint.folder)
  assertSamePartitions(header.partitions, await source.partitions(), checkpoint.folder)
  if (header.flushed) throw alreadyFlushed(checkpoint.folder)
}

async function assemble(
  request: JobRequest,
  checkpoint: Checkpoint | undefined,
  identity: CheckpointIdentity,
): Promise<JobParts> {
  const { plan, source, clock, views, settings, live } = request
  const hashKey = checkpoint?.content.snapshot?.header.hashKey ?? request.hashKey ?? drawHashKey()
  const keyText = textOf(hashKey)
  const options: EngineOptions = {
    hashKey,
    advanceWhenIdle: !source.bounded && !settings.once,
    extraModes: [...(live ? (['update'] as const) : []), ...(views.length > 0 ? (['append'] as const) : [])],
    groupsMax: GROUPS_MAX,
  }
  const engine = createRunner(request, options, await workerCount(request))
  const sinks = await SinkGroup.create(
    plan.queries.map((query, index) => ({
      output: engine.queries[index] as QueryOutput,
      specs: query.sinks,
      views: views.filter((view) => view.query === query.name).map((view) => view.sink),
    })),
    sinkContext(request, checkpoint, keyText),
  )
  return {
    pipeline: plan.name,
    engine,
    source,
    sinks,
    deadLetters: new DeadLetterFile(
      request.deadLetterFolder,
      checkpoint ? keyText : `once-${Date.now()}-${process.pid}`,
      checkpoint?.fence ?? 1,
      lastDeadLetters(checkpoint),
      request.fileSystem,
    ),
    checkpoint,
    identity,
    hashKey,
    idleTimeoutsMs: engine.watermarkIds.map((id) => idleTimeoutOf(plan, id)),
    clock,
    settings,
    live,
  }
}

/** Nothing but its end makes a process let go of a DuckDB file. */
function lockTakeOver({ plan, takeOver }: JobRequest): LockTakeOver {
  if (!takeOver) return 'never'
  return plan.queries.some(({ sinks }) => sinks.some(({ kind }) => kind === 'duckdb')) ? 'end' : 'leave'
}

function sinkContext(request: JobRequest, checkpoint: Checkpoint | undefined, keyText: string): SinkGroupContext {
  return {
    pipeline: request.plan.name,
    workingFolder: request.workingFolder,
    owner: checkpoint ? checkpoint.folder : `run ${process.pid} at ${new Date().toISOString()}`,
    runId: checkpoint && `checkpoint ${keyText}`,
    print: request.print,
    clock: request.clock,
    outboxFolder: checkpoint && join(checkpoint.folder, 'outbox'),
    homeFolder: request.homeFolder ?? request.workingFolder,
    env: request.env ?? {},
    openKafka: request.openKafka,
    ...(request.resetSinks && { resetSinks: request.resetSinks }),
    ...(request.fileSystem && { fileSystem: request.fileSystem }),
  }
}

/** Names a checkpoint wherever its folder is. */
function textOf(hashKey: readonly [number, number]): string {
  return hashKey.map((word) => word.toString(16).padStart(8, '0')).join('')
}

/** As many workers as were asked for, or as there are processors, but no more than partitions, and one where the plan needs one. */
async function workerCount({ plan, source, parallelism }: JobRequest): Promise<number> {
  if (needsOneThread(plan)) return 1
  const partitions = (await source.partitions()).length
  return Math.max(1, Math.min(parallelism ?? availableParallelism(), partitions))
}

function createRunner({ plan, plainDecoder }: JobRequest, options: EngineOptions, parallelism: number): EpochRunner {
  const module = plainDecoder ? undefined : loadDecoderModule(tellWhyPlain)
  const members = knownMembers(plan)
  const limits = { hashSeed: randomInt(2 ** 32), dictionaryEntriesMax: DICTIONARY_ENTRIES_MAX }
  if (parallelism > 1) {
    return new ParallelRunner(plan, options, { module, knownMembers: [...members], ...limits }, parallelism)
  }
  const engine = createEngine(plan, options)
  return new LocalRunner(engine, createDecoder({ fields: engine.fields, knownMembers: members, ...limits }, module))
}

function tellWhyPlain(problem: string): void {
  process.stderr.write(`millrace: ${problem}, so events are decoded in plain TypeScript, which takes longer\n`)
}

function knownMembers(plan: PipelinePlan): Set<string> {
  const members = new Set<string>()
  for (const query of plan.queries) {
    for (const field of queryChain(query.root).source.schema.fields) members.add(field.from ?? field.name)
  }
  return members
}

/** Watermark ids are `<query>/<node>`. */
function idleTimeoutOf(plan: PipelinePlan, watermarkId: string): number {
  const query = plan.queries.find(({ name }) => watermarkId.startsWith(`${name}/`))
  return (query && queryChain(query.root).watermark?.idleTimeoutMs) ?? Number.POSITIVE_INFINITY
}

function lastDeadLetters(checkpoint: Checkpoint | undefined): readonly (readonly [string, number])[] {
  const prepared = checkpoint?.content.records.filter((record) => record.type === 'prepared').at(-1)
  const snapshot = checkpoint?.content.snapshot?.header
  if (prepared && (!snapshot || prepared.epoch > snapshot.epoch)) return prepared.deadLetters
  return snapshot?.deadLetters ?? []
}

function alreadyFlushed(folder: string): MillraceError {
  return new MillraceError('incompatible-state', `the run in ${folder} has ended and closed all its windows early`, {
    hint: 'going on would count into closed windows: use another --checkpoint and another --output',
  })
}

/** Two words for the key of persisted hashes. */
function drawHashKey(): [number, number] {
  const bytes = randomBytes(8)
  return [bytes.readUInt32LE(0), bytes.readUInt32LE(4)]
}
