import { readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { ByteReader } from '../base/bytes.ts'
import { isMissing, MillraceError } from '../base/error.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import type { EpochPlan, WatermarkMark } from '../engine/epoch.ts'
import { readHead } from '../engine/state-sections.ts'
import type { DeadLetterLengths } from './dead-letter-file.ts'
import { type JournalRecord, type PreparedRecord, readJournals } from './journal.ts'
import { readSnapshot, SNAPSHOT_NAME, type SnapshotHeader, snapshotName } from './snapshot-file.ts'
import { Totals } from './totals.ts'

/** What a checkpoint says, read without taking its lock and without changing anything: also while a job runs on it. */
export interface CheckpointView {
  readonly folder: string
  /** Number of the newest process. */
  readonly fence: number
  readonly snapshots: readonly SnapshotView[]
  /** Of the newest snapshot that can be read; undefined before the first. */
  readonly header: SnapshotHeader | undefined
  /** Epochs that the journals still tell of, oldest first. */
  readonly epochs: readonly EpochView[]
  /** Counts up to the last certain epoch. */
  readonly totals: Totals
  /** Partition and next offset to be read, after the last certain epoch. */
  readonly positions: ReadonlyMap<string, number>
  readonly watermarks: readonly WatermarkMark[]
  /** Certain bytes of the dead-letter files. */
  readonly deadLetters: DeadLetterLengths
}

/** A snapshot file. */
export interface SnapshotView {
  readonly epoch: number
  readonly bytes: number
  /** Why it cannot be read. */
  readonly damage: string | undefined
}

/** An epoch as the journals have it. */
export interface EpochView {
  readonly plan: EpochPlan
  readonly partitionIds: readonly string[]
  /** Undefined for an epoch that was planned only. */
  readonly prepared: PreparedRecord | undefined
  /** Known to be committed everywhere; a later prepared epoch says so too. */
  readonly committed: boolean
}

/**
 * The epoch that a row is in: of several plans with it the one that is certain, or else the newest, since a crash leaves plans behind whose
 * rows are planned anew. Undefined where the journals do not go back so far, or the row is in no plan yet.
 */
export function epochWith(epochs: readonly EpochView[], partitionId: string, offset: number): EpochView | undefined {
  const planned = epochs.filter(({ plan: { ranges }, partitionIds }) =>
    ranges.some(({ partition, from, to }) => partitionIds[partition] === partitionId && from <= offset && offset < to),
  )
  return planned.find(({ prepared }) => prepared) ?? planned.at(-1)
}

const ATTEMPTS_MAX = 5

/** Reads a checkpoint folder. A running job removes old files meanwhile: then it is read again. */
export async function viewCheckpoint(folder: string, fileSystem: FileSystem = nodeFileSystem): Promise<CheckpointView> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await readView(folder, fileSystem)
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || !isMissing(error)) throw error
      if (!(await stat(folder).catch(() => undefined))) throw noCheckpoint(folder)
    }
  }
}

/** Throws `incompatible-state` when another version wrote the newest snapshot, and this one does not read its state. */
export async function assertStateFormat({ folder, snapshots }: CheckpointView): Promise<void> {
  const newest = snapshots.findLast(({ damage }) => damage === undefined)
  if (newest === undefined) return
  const { engineState } = await readSnapshot(join(folder, snapshotName(newest.epoch)), nodeFileSystem)
  readHead(new ByteReader(engineState, 'the state in the snapshot'))
}

async function readView(folder: string, fileSystem: FileSystem): Promise<CheckpointView> {
  const { records, fenceMax } = await readJournals(folder, fileSystem)
  const { snapshots, header } = await readSnapshots(folder)
  const epochs = epochViews(records)
  const totals = header ? Totals.fromJson(header.totals) : new Totals()
  const positions = new Map(header?.partitions.map(({ id, position }) => [id, position] as const))
  let last: PreparedRecord | undefined
  for (const { plan, partitionIds, prepared } of epochs) {
    if (!prepared || plan.epoch <= (header?.epoch ?? 0)) continue
    totals.add(prepared.counts)
    for (const { sink, output } of prepared.outputs) totals.addOutput(sink, output)
    for (const { partition, to } of plan.ranges) positions.set(partitionIds[partition] as string, to)
    last = prepared
  }
  return {
    folder,
    fence: Math.max(fenceMax, header?.fence ?? 0),
    snapshots,
    header,
    epochs,
    totals,
    positions,
    watermarks: (last ?? epochs.findLast(({ prepared }) => prepared)?.prepared)?.watermarks ?? [],
    deadLetters: last?.deadLetters ?? header?.deadLetters ?? [],
  }
}

async function readSnapshots(
  folder: string,
): Promise<{ snapshots: SnapshotView[]; header: SnapshotHeader | undefined }> {
  const names = (await readdir(folder)).filter((name) => SNAPSHOT_NAME.test(name)).sort()
  const snapshots: SnapshotView[] = []
  let header: SnapshotHeader | undefined
  for (const name of names) {
    const path = join(folder, name)
    let damage: string | undefined
    try {
      header = (await readSnapshot(path, nodeFileSystem)).header
    } catch (error) {
      if (!(error instanceof MillraceError)) throw error
      damage = error.message
    }
    snapshots.push({
      epoch: Number(SNAPSHOT_NAME.exec(name)?.[1]),
      bytes: (await stat(path)).size,
      damage,
    })
  }
  return { snapshots, header }
}

function epochViews(records: readonly JournalRecord[]): EpochView[] {
  const plans = new Map<number, { plan: EpochPlan; partitionIds: readonly string[] }>()
  const prepared = new Map<number, PreparedRecord>()
  let committedEpoch = 0
  for (const record of records) {
    if (record.type === 'plan') plans.set(record.plan.epoch, record)
    if (record.type === 'committed') committedEpoch = Math.max(committedEpoch, record.epoch)
    if (record.type !== 'prepared') continue
    // Only one epoch may be between prepared and committed.
    committedEpoch = Math.max(committedEpoch, ...prepared.keys())
    prepared.set(record.epoch, record)
  }
  return [...plans.values()]
    .sort((left, right) => left.plan.epoch - right.plan.epoch)
    .map(({ plan, partitionIds }) => ({
      plan,
      partitionIds,
      prepared: prepared.get(plan.epoch),
      committed: prepared.has(plan.epoch) && plan.epoch <= committedEpoch,
    }))
}

function noCheckpoint(folder: string): MillraceError {
  return new MillraceError('invalid-option', `there is no checkpoint in ${folder}`, {
    hint: 'name one with --checkpoint, or a pipeline that has run with --pipeline',
  })
}
