import type { Command } from 'commander'
import { MillraceError } from '../../base/error.ts'
import type { Log, TopicDescription } from '../../log/log.ts'
import { nameHint } from '../../plan/nearest-name.ts'
import { settingOption } from '../config/apply.ts'
import { showExamples } from '../help.ts'
import { homeAt, openLog } from '../home.ts'
import { wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'
import { recordValues } from '../record-values.ts'
import type { DefineCommand } from './index.ts'

interface TopicOptions {
  readonly bootstrapServers?: string
  readonly home: string
  readonly json?: boolean
  readonly partitions?: number
  readonly count?: number
}

/** `millrace topics`: looks into the log. */
export const defineTopics: DefineCommand = (program) => {
  const topics = program.command('topics').description('list, create, describe and peek into topics of the log')
  showExamples(topics, [
    ['millrace topics list', ''],
    ['millrace topics create clicks --partitions 8', ''],
    ['millrace topics peek clicks -n 3', 'the last three records of each partition'],
  ])
  const common = (name: string, description: string) => withLogOptions(topics.command(name).description(description))

  common('list', 'all topics').action(async (options: TopicOptions) => {
    await withLog(options, 'read', async (log) => {
      const all = await log.listTopics()
      if (options.json) return printJson(all)
      if (all.length === 0) say('there is no topic yet: `millrace generate --topic events` makes one')
      for (const topic of all) process.stdout.write(`${line(topic)}\n`)
    })
  })
  common('create <topic>', 'make a topic')
    .option('--partitions <count>', 'number of partitions', wholeNumber, 4)
    .action(async (topic: string, options: TopicOptions) => {
      await withLog(options, 'write', async (log) => {
        await log.createTopic(topic, { partitions: options.partitions ?? 4 })
        if (options.json) return printJson(await known(log, topic))
        say(`topic ${topic} is there, with ${options.partitions ?? 4} partitions`)
      })
    })
  common('describe <topic>', 'settings and offsets of a topic').action(async (topic: string, options: TopicOptions) => {
    await withLog(options, 'read', async (log) => {
      const description = await known(log, topic)
      if (options.json) return printJson(description)
      process.stdout.write(`${line(description)}\n`)
      for (const [partition, { start, end }] of description.offsets.entries()) {
        process.stdout.write(`  partition ${partition}  offsets ${start} to ${end}  (${end - start} records)\n`)
      }
    })
  })
  common('peek <topic>', 'the last records of a topic')
    .option('-n, --count <count>', 'records per partition', wholeNumber, 5)
    .action(async (topic: string, options: TopicOptions) => {
      await withLog(options, 'read', async (log) => {
        const { offsets } = await known(log, topic)
        for (const [partition, { start, end }] of offsets.entries()) {
          const from = Math.max(start, end - (options.count ?? 5))
          for await (const { offset, value } of recordValues(log, topic, partition, from, end)) {
            const text = Buffer.from(value).toString('utf8')
            process.stdout.write(
              options.json
                ? `${JSON.stringify({ partition, offset, value: text })}\n`
                : `${partition}/${offset}  ${text}\n`,
            )
          }
        }
      })
    })
}

function withLogOptions(command: Command): Command {
  return command
    .addOption(settingOption('bootstrap-servers'))
    .addOption(settingOption('home'))
    .option('--json', 'as JSON')
}

async function withLog(options: TopicOptions, mode: 'read' | 'write', use: (log: Log) => Promise<void>): Promise<void> {
  const log = await openLog(homeAt(options.home), mode, 'millrace topics', options.bootstrapServers)
  try {
    await use(log)
  } finally {
    await log.close()
  }
}

async function known(log: Log, topic: string): Promise<TopicDescription> {
  const description = await log.describeTopic(topic)
  if (description) return description
  const names = (await log.listTopics()).map((one) => one.topic)
  throw new MillraceError('invalid-option', `there is no topic "${topic}"`, { hint: nameHint(topic, names) })
}

function line({ topic, offsets, bytes }: TopicDescription): string {
  const records = offsets.reduce((sum, { start, end }) => sum + end - start, 0)
  return `${topic}  ${offsets.length} partitions  ${records.toLocaleString('en-US')} records  ${(bytes / 1e6).toFixed(1)} MB`
}
