import { MillraceError } from '../base/error.ts'
import type { EpochPlan } from '../engine/epoch.ts'
import type { ModelCommand } from '../ml/model-event.ts'
import type { CheckpointContent } from './checkpoint.ts'
import type { PreparedRecord } from './journal.ts'
import type { CertainEpoch } from './sink-group.ts'

/** What has to be done before new epochs can be planned. */
export interface RecoveryPlan {
  /** Certain epochs behind the snapshot, to be computed again with the sinks silent. */
  readonly again: readonly { readonly plan: EpochPlan; readonly prepared: PreparedRecord }[]
  /** The last certain epoch; committed once more, because nobody knows whether it was. */
  readonly last: CertainEpoch | undefined
  /**
   * The first plan that never became certain: runs as the next epoch. A second one was made while the first was being prepared, and is
   * forgotten with whatever it gave: nothing of it has been seen.
   */
  readonly open: EpochPlan | undefined
  /** Partitions in the order in which the plans number them. */
  readonly partitionIds: readonly string[]
  /** 0 when no epoch was ever certain. */
  readonly lastPreparedEpoch: number
  /** Every certain epoch that the journals still tell of, oldest first. */
  readonly certain: readonly CertainEpoch[]
  /** Sinks that have prepared something before. */
  readonly sinksNamed: ReadonlySet<string>
  /** Commands that plans have taken in. */
  readonly commands: readonly ModelCommand[]
  /** The largest epoch number that was ever given out: numbers are never used twice. */
  readonly lastEpochNumber: number
}

/** Reads out of snapshot and journal how to get back to where the last process was. */
export function planRecovery(content: CheckpointContent, configHash: string, folder: string): RecoveryPlan {
  const snapshotEpoch = content.snapshot?.header.epoch ?? 0
  const plans = new Map<number, EpochPlan>()
  const prepared = new Map<number, PreparedRecord>()
  let partitionIds = content.snapshot?.header.partitions.map((partition) => partition.id) ?? []
  for (const record of content.records) {
    if (record.type === 'plan') {
      if (record.plan.epoch > snapshotEpoch && record.configHash !== configHash) throw changedPipeline(folder)
      plans.set(record.plan.epoch, record.plan)
      if (record.partitionIds.length > partitionIds.length) partitionIds = [...record.partitionIds]
    } else if (record.type === 'prepared') {
      prepared.set(record.epoch, record)
    }
  }
  const lastPreparedEpoch = Math.max(snapshotEpoch, ...prepared.keys())
  const again: { plan: EpochPlan; prepared: PreparedRecord }[] = []
  for (const [epoch, record] of [...prepared].sort(([left], [right]) => left - right)) {
    if (epoch <= snapshotEpoch) continue
    const plan = plans.get(epoch)
    if (!plan) throw missingPlan(epoch, folder)
    const before = again.at(-1)?.plan.epoch ?? snapshotEpoch
    if (plan.previous !== before) throw missingEpochs(before, epoch, folder)
    again.push({ plan, prepared: record })
  }
  const lastEpochNumber = Math.max(lastPreparedEpoch, ...plans.keys())
  const open = [...plans.values()].find((plan) => plan.epoch > lastPreparedEpoch)
  const sinksNamed = new Set(content.snapshot?.header.totals.sinks.map(([name]) => name))
  const certain: CertainEpoch[] = []
  for (const { epoch, outputs } of [...prepared.values()].sort((left, right) => left.epoch - right.epoch)) {
    for (const { sink } of outputs) sinksNamed.add(sink)
    const plan = plans.get(epoch)
    if (plan) certain.push({ epoch, previous: plan.previous, outputs })
  }
  const last = certain.at(-1)?.epoch === lastPreparedEpoch ? certain.at(-1) : undefined
  const commands = [...plans.values()].flatMap((plan) => plan.commands ?? [])
  return { again, last, open, partitionIds, lastPreparedEpoch, lastEpochNumber, certain, sinksNamed, commands }
}

function changedPipeline(folder: string): MillraceError {
  return new MillraceError(
    'incompatible-state',
    `the pipeline has changed, and ${folder} holds epochs that must be run again first`,
    {
      hint: 'start once with the definition that made them, or use another --checkpoint folder and another --output',
    },
  )
}

function missingEpochs(before: number, epoch: number, folder: string): MillraceError {
  return new MillraceError(
    'corrupt-data',
    `the journals in ${folder} lack what came between epochs ${before} and ${epoch}`,
    {
      hint: 'restore the checkpoint folder from a backup, or start over with another one',
    },
  )
}

function missingPlan(epoch: number, folder: string): MillraceError {
  return new MillraceError('corrupt-data', `the journal in ${folder} has no plan for the certain epoch ${epoch}`, {
    hint: 'restore the checkpoint folder from a backup, or start over with another one',
  })
}
