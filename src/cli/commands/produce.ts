import { MillraceError } from '../../base/error.ts'
import type { EncodedRecords } from '../../batch/encoded-records.ts'
import { createScalarDecoder } from '../../batch/scalar-decoder.ts'
import { RecordBatchBuilder } from '../../log/record-batch-builder.ts'
import { fileSource } from '../../plan/connectors.ts'
import { createSource } from '../../sources/index.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { homeAt, openLog } from '../home.ts'
import { wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'
import { onStop } from '../signals.ts'
import { counted } from '../summary.ts'

interface ProduceOptions {
  readonly topic?: string
  readonly bootstrapServers?: string
  readonly home: string
  readonly partitions: number
  readonly json?: boolean
}

/** `millrace produce`: sends the lines of files to the log as they are. */
export const defineProduce: DefineCommand = (program) => {
  const command = program
    .command('produce')
    .description('send the lines of files to a topic of the log, as they are')
    .argument('<files...>', 'NDJSON files (plain, .gz, .zst, patterns), - for stdin')
    .addOption(settingOption('topic', 'made when it is missing'))
    .option('--partitions <count>', 'of a new topic', wholeNumber, 1)
    .addOption(settingOption('bootstrap-servers'))
    .addOption(settingOption('home'))
    .option('--json', 'end with the totals as JSON')
    .action(produce)
  showExamples(command, [
    ["millrace produce 'logs/*.ndjson.gz' --topic events", ''],
    ['tail -f access.ndjson | millrace produce - --topic events', ''],
  ])
}

async function produce(paths: string[], options: ProduceOptions): Promise<void> {
  const { topic } = options
  if (topic === undefined) throw noTopic()
  const source = await createSource(fileSource(...paths), {
    workingFolder: process.cwd(),
    stdin: process.stdin,
    openLog: () => Promise.reject(new Error('files need no log')),
  })
  const log = await openLog(homeAt(options.home), 'write', 'millrace produce', options.bootstrapServers)
  const stopping = new AbortController()
  const ended = onStop(() => stopping.abort())
  let rows = 0
  let sent = false
  try {
    if (!(await log.describeTopic(topic))) await log.createTopic(topic, { partitions: options.partitions })
    const partitions = (await log.describeTopic(topic))?.offsets.length ?? 1
    let next = 0
    for (const { id } of await source.partitions()) {
      for await (const lines of source.read(id, 0, Number.POSITIVE_INFINITY, stopping.signal)) {
        if (stopping.signal.aborted) break
        // Runs of lines go round: neighbours stay neighbours.
        const builder = recordsOf(lines)
        await log.append(topic, next % partitions, builder.finish())
        next++
        rows += lines.recordCount
      }
    }
    sent = true
    if (options.json) printJson({ topic, rows })
    else say(`${counted(rows, 'record')} sent to ${topic}`)
  } finally {
    ended()
    // Whoever starts again would send them twice.
    if (!sent && rows > 0) say(`the first ${counted(rows, 'record')} had been sent to ${topic} when it failed`)
    await log.close()
  }
}

const walker = createScalarDecoder({ fields: [], knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 1 })

function recordsOf(lines: EncodedRecords): RecordBatchBuilder {
  const builder = new RecordBatchBuilder()
  const batch = walker.decode(lines)
  const nowMs = Date.now()
  for (let row = 0; row < batch.rowCount; row++) {
    const start = batch.valueStarts[row] as number
    builder.add(null, batch.bytes.subarray(start, start + (batch.valueLengths[row] as number)), nowMs)
  }
  return builder
}

function noTopic(): MillraceError {
  return new MillraceError('invalid-option', 'it is not said which topic the lines are sent to', {
    hint: 'name it with --topic; it is made when it is missing',
  })
}
