import type { Command } from 'commander'
import { MillraceError } from '../base/error.ts'
import type { Log, TopicDescription } from '../log/log.ts'
import { nameHint } from '../plan/nearest-name.ts'
import { settingOption } from './config/apply.ts'
import { homeAt, openLog } from './home.ts'

/** Options of a command that looks into the log, see `withLogOptions`. */
export interface LogOptions {
  readonly bootstrapServers?: string
  readonly home: string
  readonly json?: boolean
}

/** Adds them to a command. */
export function withLogOptions(command: Command): Command {
  return command
    .addOption(settingOption('bootstrap-servers'))
    .addOption(settingOption('home'))
    .option('--json', 'as JSON')
}

/** Opens the log for as long as `use` takes. */
export async function withLog(
  options: LogOptions,
  mode: 'read' | 'write',
  use: (log: Log) => Promise<void>,
): Promise<void> {
  const log = await openLog(homeAt(options.home), mode, 'millrace topics', options.bootstrapServers)
  try {
    await use(log)
  } finally {
    await log.close()
  }
}

/** A topic that has to be there; `how` begins the hint that names those that are. */
export async function knownTopic(log: Log, topic: string, how = ''): Promise<TopicDescription> {
  const description = await log.describeTopic(topic)
  if (description) return description
  const names = (await log.listTopics()).map((one) => one.topic)
  throw new MillraceError('invalid-option', `there is no topic "${topic}"`, {
    hint: `${how}${nameHint(topic, names)}`,
  })
}
