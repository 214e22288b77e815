import { decodeText } from '../../base/bytes.ts'
import { MillraceError } from '../../base/error.ts'
import { formatTime } from '../../base/time.ts'
import { settingOption } from '../config/apply.ts'
import type { Letter } from '../dead-letters.ts'
import { readLetters } from '../dead-letters.ts'
import type { DefineCommand } from '../define-command.ts'
import {
  type CheckpointOptions,
  checkpointFolder,
  checkpointOptions,
  deadLetterFolder,
  pipelineName,
} from '../find-checkpoint.ts'
import { showExamples } from '../help.ts'
import { type Home, homeAt, openLog } from '../home.ts'
import { type Judgement, judgeRecord } from '../judge-record.ts'
import { loadPipeline } from '../load-pipeline.ts'
import { recordValues } from '../record-values.ts'
import { printable } from '../text-table.ts'
import { knownTopic } from '../topic-log.ts'

interface ExplainOptions extends CheckpointOptions {
  readonly home?: string
  readonly json?: boolean
  readonly topic?: string
  readonly bootstrapServers?: string
}

/** `millrace explain-event`: what became of one event. */
export const defineExplainEvent: DefineCommand = (program) => {
  const command = program
    .command('explain-event')
    .description('what became of one event: fate, epoch, watermark then, windows, sinks')
    .argument('<id>', 'its position, such as events-0/123, or a value that only it holds, such as its event_id')
    .argument('[pipeline]', 'the pipeline file or plan: also tells windows and sinks')
    .option('--topic <name>', 'where to look for a value', 'events')
    .addOption(settingOption('bootstrap-servers'))
  showExamples(command, [
    ['millrace explain-event events-0/42', 'fate, epoch and watermark of a row'],
    ['millrace explain-event 5078b4c8-360f pipeline.ts', 'found by its id; also windows and sinks'],
  ])
  checkpointOptions(command).action(explain)
}

interface Found {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Uint8Array
}

async function explain(id: string, pipelineFile: string | undefined, options: ExplainOptions): Promise<void> {
  const home = homeAt(options.home)
  const plan = pipelineFile === undefined ? undefined : await loadPipeline(pipelineFile)
  const pipeline = plan?.name ?? (await pipelineName(home, options))
  const { epochWith, viewCheckpoint } = await import('../../job/checkpoint-view.ts')
  const view = await viewCheckpoint(await checkpointFolder(home, { ...options, pipeline }))
  const letters = await readLetters(await deadLetterFolder(home, { ...options, pipeline }), view.deadLetters)
  const found = await find(home, id, options)
  const partitionId = `${found.topic}-${found.partition}`
  const letter = letters.find((one) => one.partition === partitionId && one.offset === found.offset)
  const epoch = epochWith(view.epochs, partitionId, found.offset)
  const before = view.epochs
    .find(({ plan: { epoch: number } }) => number === epoch?.plan.previous)
    ?.prepared?.watermarks.map(({ closeWatermarkMs }) => formatTime(closeWatermarkMs))
  const read = found.offset < (view.positions.get(partitionId) ?? 0)
  const judgement =
    plan && read
      ? await judged(
          home,
          options.bootstrapServers,
          plan,
          found,
          view.watermarks.map(({ closeWatermarkMs }) => closeWatermarkMs),
        )
      : undefined
  print(
    {
      position: `${partitionId}/${found.offset}`,
      event: decodeText(found.value.subarray(0, 2_000)),
      fate: fateOf(read, letter, judgement),
      rule: letter?.rule ?? judgement?.rule ?? null,
      reason: letter?.reason ?? null,
      epoch: letter?.epoch ?? epoch?.plan.epoch ?? null,
      watermarkThen: letter?.watermark ?? before?.join(' ') ?? null,
      windowsMissed: letter?.windows_missed ?? [],
      windows: letter ? [] : (judgement?.windows ?? []),
      resent: letter?.resent ?? null,
    },
    options.json,
  )
}

function fateOf(read: boolean, letter: Letter | undefined, judgement: Judgement | undefined): string {
  if (!read) return 'not read yet'
  return letter?.fate ?? judgement?.fate ?? 'accepted or filtered'
}

async function find(home: Home, id: string, options: ExplainOptions): Promise<Found> {
  const log = await openLog(home, 'read', 'millrace explain-event', options.bootstrapServers)
  try {
    const position = /^(.+)-(\d+)\/(\d+)$/.exec(id)
    const topic = position?.[1] ?? options.topic ?? 'events'
    const { offsets } = await knownTopic(log, topic, 'name it with --topic: ')
    for (const [partition, { start, end }] of offsets.entries()) {
      if (position && Number(position[2]) !== partition) continue
      const [from, to] = position
        ? [Math.max(start, Number(position[3])), Math.min(end, Number(position[3]) + 1)]
        : [start, end]
      for await (const { offset, value } of recordValues(log, topic, partition, from, to)) {
        // A copy: the bytes belong to the log's own buffer.
        if (position || Buffer.from(value).includes(JSON.stringify(id)))
          return { topic, partition, offset, value: value.slice() }
      }
    }
  } finally {
    await log.close()
  }
  throw new MillraceError('invalid-option', `no record is "${id}"`, {
    hint: 'name its position (TOPIC-PARTITION/OFFSET), or a value and its --topic; the log may have let go of it',
  })
}

async function judged(
  home: Home,
  servers: string | undefined,
  plan: Parameters<typeof judgeRecord>[0],
  { topic, partition, offset }: Found,
  watermarksMs: readonly number[],
): Promise<Judgement | undefined> {
  const log = await openLog(home, 'read', 'millrace explain-event', servers)
  try {
    const records = (await log.read(topic, partition, offset, 1)).find(
      (one) => one.baseOffset <= offset && offset < one.endOffset,
    )
    return records && (await judgeRecord(plan, records, offset, watermarksMs))
  } finally {
    await log.close()
  }
}

function print(answer: Readonly<Record<string, unknown>>, json: boolean | undefined): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(answer)}\n`)
    return
  }
  for (const [name, value] of Object.entries(answer)) {
    if (value === null || (Array.isArray(value) && value.length === 0)) continue
    const lines = Array.isArray(value) ? value.map(printable) : [printable(value)]
    for (const line of lines) process.stdout.write(`${name.padEnd(14)} ${line}\n`)
  }
}
