import { readdir, rm } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MillraceError } from '../base/error.ts'
import type { KafkaLog } from '../log/kafka/kafka-log.ts'
import { sinkName } from '../plan/check-sinks.ts'
import type { PipelinePlan } from '../plan/node.ts'
import type { Source } from '../sources/source.ts'
import type { Home } from './home.ts'

/** Where a run keeps what it must not lose. */
export interface RunPlace {
  /** Undefined for a run that keeps nothing to go on from. */
  readonly checkpoint: string | undefined
  readonly deadLetters: string
}

/** What decides where that is. */
export interface PlaceOptions {
  readonly checkpoint?: string
  readonly checkpointRoot?: string
  readonly runId?: string
  readonly once?: boolean
}

const ONE_TIME = 'run-'

/**
 * A run to the end of its input keeps no checkpoint unless it is given one. Dead letters belong to one checkpoint, or to one run
 * without: they are beside the checkpoints of the home, else within the checkpoint.
 */
export function placeOf(pipeline: string, source: Source, home: Home, options: PlaceOptions): RunPlace {
  if (options.checkpoint !== undefined && source.identity === 'stdin') throw stdinCheckpoint()
  if (options.checkpoint === undefined && (source.bounded || options.once)) {
    const started = new Date().toISOString().replaceAll(/[:.]/g, '-')
    return {
      checkpoint: undefined,
      deadLetters: join(home.deadLetters(pipeline), `${ONE_TIME}${started}-${process.pid}`),
    }
  }
  const checkpoint = checkpointFolder(pipeline, home, options)
  const own = checkpoint === home.checkpoint(pipeline)
  return { checkpoint, deadLetters: own ? home.deadLetters(pipeline) : join(checkpoint, 'dead-letters') }
}

/** Removes what earlier runs left: files of the sinks, marks of Kafka sinks, and dead letters of runs without a checkpoint. */
export async function clearEarlierRuns(
  plan: PipelinePlan,
  home: Home,
  { checkpoint }: RunPlace,
  kafka: KafkaLog | undefined,
): Promise<void> {
  if (checkpoint !== undefined && (await namesIn(checkpoint)).length > 0) throw replacedUnderCheckpoint(checkpoint)
  const { clearOutputFolder } = await import('../sinks/output-log.ts')
  for (const query of plan.queries) {
    for (const sink of query.sinks) {
      if ('path' in sink) await clearOutputFolder(resolve(sink.path))
      if (sink.kind !== 'kafka' || !kafka) continue
      const { resetKafkaSink } = await import('../sinks/kafka-sink.ts')
      await resetKafkaSink(kafka, plan.name, sinkName(query.name, sink))
    }
  }
  const letters = home.deadLetters(plan.name)
  for (const name of await namesIn(letters)) {
    if (name.startsWith(ONE_TIME)) await rm(join(letters, name), { recursive: true, force: true })
  }
}

function checkpointFolder(pipeline: string, home: Home, { checkpoint, checkpointRoot, runId }: PlaceOptions): string {
  if (checkpoint !== undefined) return resolve(checkpoint)
  if (checkpointRoot === undefined && runId === undefined) return home.checkpoint(pipeline)
  return join(resolve(checkpointRoot ?? join(home.path, 'checkpoints')), runId ?? '', pipeline)
}

async function namesIn(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

function stdinCheckpoint(): MillraceError {
  return new MillraceError('invalid-option', 'standard input cannot be read again, so it needs no checkpoint', {
    hint: 'leave out --checkpoint, or `millrace produce - --topic T` first and run from there',
  })
}

function replacedUnderCheckpoint(folder: string): MillraceError {
  return new MillraceError(
    'invalid-option',
    `--replace would remove output that the checkpoint ${folder} counts as written`,
    {
      hint: 'leave out --replace to go on, or remove the checkpoint as well to start over',
    },
  )
}
