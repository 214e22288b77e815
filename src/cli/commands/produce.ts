import type { EncodedRecords } from '../../batch/encoded-records.ts'
import { createScalarDecoder } from '../../batch/scalar-decoder.ts'
import { RecordBatchBuilder } from '../../log/record-batch-builder.ts'
import { fileSource } from '../../plan/connectors.ts'
import { createSource } from '../../sources/index.ts'
import { homeAt, openLog } from '../home.ts'
import { bootstrapServers, wholeNumber } from '../options.ts'
import type { DefineCommand } from './index.ts'

interface ProduceOptions {
  readonly topic: string
  readonly bootstrapServers?: string
  readonly home?: string
  readonly partitions: number
  readonly json?: boolean
}

/** `millrace produce`: sends the lines of files to the log as they are. */
export const defineProduce: DefineCommand = (program) => {
  program
    .command('produce')
    .description('send the lines of files to a topic of the log, as they are')
    .argument('<files...>', 'NDJSON files (plain, .gz, .zst, patterns), - for stdin')
    .requiredOption('--topic <name>', 'made when it is missing')
    .option('--partitions <count>', 'of a new topic', wholeNumber, 1)
    .addOption(bootstrapServers())
    .option('--home <folder>', 'where the log is (MILLRACE_HOME, .millrace)')
    .option('--json', 'end with the totals as JSON')
    .action(produce)
}

async function produce(paths: string[], options: ProduceOptions): Promise<void> {
  const source = await createSource(fileSource(...paths), {
    workingFolder: process.cwd(),
    stdin: process.stdin,
    openLog: () => Promise.reject(new Error('files need no log')),
  })
  const log = await openLog(homeAt(options.home), 'write', 'millrace produce', options.bootstrapServers)
  try {
    if (!(await log.describeTopic(options.topic)))
      await log.createTopic(options.topic, { partitions: options.partitions })
    const partitions = (await log.describeTopic(options.topic))?.offsets.length ?? 1
    let rows = 0
    let next = 0
    for (const { id } of await source.partitions()) {
      for await (const lines of source.read(id, 0, Number.POSITIVE_INFINITY, new AbortController().signal)) {
        // Runs of lines go round: neighbours stay neighbours.
        const builder = recordsOf(lines)
        await log.append(options.topic, next % partitions, builder.finish())
        next++
        rows += lines.recordCount
      }
    }
    if (options.json) process.stdout.write(`${JSON.stringify({ topic: options.topic, rows })}\n`)
    else process.stderr.write(`${rows.toLocaleString('en-US')} records sent to ${options.topic}\n`)
  } finally {
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
