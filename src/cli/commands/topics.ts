import { isKafkaLog } from '../../log/kafka/is-kafka-log.ts'
import type { Log, TopicDescription } from '../../log/log.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'
import { knownTopic, type LogOptions, withLog, withLogOptions } from '../topic-log.ts'
import { definePeek, defineTail } from './topic-records.ts'

interface TopicOptions extends LogOptions {
  readonly partitions?: number
}

/** `millrace topics`: looks into the log. */
export const defineTopics: DefineCommand = (program) => {
  const topics = program.command('topics').description('list and create topics of the log, and look at their records')
  showExamples(topics, [
    ['millrace topics list', ''],
    ['millrace topics create clicks --partitions 8', ''],
    ['millrace topics peek clicks -n 3', 'the last three records of each partition'],
    ['millrace topics tail clicks', 'new records as they come'],
  ])
  const common = (name: string, description: string) => withLogOptions(topics.command(name).description(description))

  common('list', 'all topics').action(async (options: TopicOptions) => {
    await withLog(options, 'read', async (log) => {
      const all = await log.listTopics()
      if (options.json) return printJson(all)
      if (all.length === 0) say('there is no topic yet: `millrace generate --topic events` makes one')
      for (const topic of all) process.stdout.write(`${line(topic, log)}\n`)
    })
  })
  common('create <topic>', 'make a topic')
    .option('--partitions <count>', 'number of partitions', wholeNumber, 4)
    .action(async (topic: string, options: TopicOptions) => {
      await withLog(options, 'write', async (log) => {
        await log.createTopic(topic, { partitions: options.partitions ?? 4 })
        if (options.json) return printJson(await knownTopic(log, topic))
        say(`topic ${topic} is there, with ${options.partitions ?? 4} partitions`)
      })
    })
  common('describe <topic>', 'settings and offsets of a topic').action(async (topic: string, options: TopicOptions) => {
    await withLog(options, 'read', async (log) => {
      const description = await knownTopic(log, topic)
      if (options.json) return printJson(description)
      process.stdout.write(`${line(description, log)}\n`)
      for (const [partition, { start, end }] of description.offsets.entries()) {
        process.stdout.write(`  partition ${partition}  offsets ${start} to ${end}  (${counted(end - start, log)})\n`)
      }
    })
  })
  definePeek(topics)
  defineTail(topics)
}

function line({ topic, offsets, bytes }: TopicDescription, log: Log): string {
  const records = offsets.reduce((sum, { start, end }) => sum + end - start, 0)
  return `${topic}  ${offsets.length} partitions  ${counted(records, log)}  ${(bytes / 1e6).toFixed(1)} MB`
}

/** In Kafka, ends of transactions and what was compacted or given up have offsets, too. */
function counted(offsets: number, log: Log): string {
  return `${isKafkaLog(log) ? 'at most ' : ''}${offsets.toLocaleString('en-US')} records`
}
