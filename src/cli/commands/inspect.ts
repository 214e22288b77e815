import { Argument } from 'commander'
import { formatTime } from '../../base/time.ts'
import type { CheckpointView, EpochView } from '../../job/checkpoint-view.ts'
import type { DefineCommand } from '../define-command.ts'
import { type CheckpointOptions, checkpointFolder, checkpointOptions } from '../find-checkpoint.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { textTable } from '../text-table.ts'

interface InspectOptions extends CheckpointOptions {
  readonly home?: string
  readonly json?: boolean
}

/** What can be looked at: each turns a checkpoint into data, one object a row. */
const LOOKS: Readonly<Record<string, (view: CheckpointView) => Record<string, unknown>[]>> = {
  checkpoint: (view) => [
    {
      folder: view.folder,
      pipeline: view.header?.identity.pipeline ?? null,
      source: view.header?.identity.source ?? null,
      fence: view.fence,
      lastCertainEpoch: view.epochs.findLast(({ prepared }) => prepared)?.plan.epoch ?? view.header?.epoch ?? 0,
      journalEpochs: view.epochs.length,
      snapshots: view.snapshots
        .map(({ epoch, damage }) => (damage === undefined ? epoch : `${epoch} (damaged)`))
        .join(' '),
      ended: view.header?.flushed ?? false,
    },
  ],
  epochs: (view) => view.epochs.map(epochRow),
  state: (view) =>
    view.snapshots.map(({ epoch, bytes, damage }) => ({ afterEpoch: epoch, bytes, damage: damage ?? null })),
  offsets: (view) => [...view.positions].map(([partition, position]) => ({ partition, nextOffset: position })),
  ledger: ({ totals }) => [
    ...Object.entries(totals.fates()).map(([fate, rows]) => ({ fate, rule: '', rows })),
    ...totals
      .reasons()
      .filter(({ rule }) => rule !== '')
      .map(({ fate, rule, rows }) => ({ fate, rule, rows })),
    { fate: 'read', rule: '', rows: totals.rowsRead },
  ],
}

/** `millrace inspect`: looks into a checkpoint, also while a job runs on it. */
export const defineInspect: DefineCommand = (program) => {
  const command = program
    .command('inspect')
    .description('look into a checkpoint, also while a job runs on it')
    .addArgument(new Argument('<what>', 'what to look at').choices(Object.keys(LOOKS)))
  showExamples(command, [
    ['millrace inspect checkpoint', 'where the job of the home folder stands'],
    ['millrace inspect epochs --pipeline shop', 'what each epoch read and gave'],
    ['millrace inspect ledger --json', 'what became of all rows'],
  ])
  checkpointOptions(command).action(async (what: string, options: InspectOptions) => {
    const { viewCheckpoint } = await import('../../job/checkpoint-view.ts')
    const view = await viewCheckpoint(await checkpointFolder(homeAt(options.home), options))
    const rows = LOOKS[what]?.(view) ?? []
    process.stdout.write(options.json ? `${JSON.stringify(rows)}\n` : textTable(rows))
  })
}

function epochRow({ plan, partitionIds, prepared, committed }: EpochView): Record<string, unknown> {
  return {
    epoch: plan.epoch,
    previous: plan.previous,
    state: prepared ? (committed ? 'committed' : 'prepared') : 'planned',
    rows: prepared?.counts.rowsRead ?? plan.ranges.reduce((sum, { from, to }) => sum + to - from, 0),
    ranges: plan.ranges.map(({ partition, from, to }) => `${partitionIds[partition]}:${from}-${to}`).join(' '),
    watermark: prepared?.watermarks.map(({ closeWatermarkMs }) => formatTime(closeWatermarkMs)).join(' ') ?? '',
    sinks: prepared?.outputs.map(({ sink, output }) => `${sink}:${output.rows}`).join(' ') ?? '',
    flush: plan.flush,
  }
}
