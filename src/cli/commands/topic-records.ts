import type { Command } from 'commander'
import type { Log, PartitionOffsets } from '../../log/log.ts'
import { duration, wholeNumber } from '../options.ts'
import { say, whenNobodyReads } from '../output.ts'
import { type RecordValue, recordValues } from '../record-values.ts'
import { onStop } from '../signals.ts'
import { knownTopic, type LogOptions, withLog, withLogOptions } from '../topic-log.ts'

interface PeekOptions extends LogOptions {
  readonly count: number
  readonly fromBeginning?: boolean
  readonly timeout?: number
}

interface TailOptions extends LogOptions {
  readonly count?: number
  readonly timeout?: number
}

/** Kafka's transactions end with a record that nobody sees: so many more offsets are looked at than records are wanted. */
const UNSEEN_MAX = 1_000

/** `millrace topics peek`: some records of each partition. */
export function definePeek(topics: Command): void {
  withLogOptions(topics.command('peek <topic>').description('the last records of a topic, or the first'))
    .option('-n, --count <count>', 'records per partition', wholeNumber, 5)
    .option('--from-beginning', 'the first records instead of the last')
    .option('--timeout <duration>', 'how long to wait for the first record of an empty topic', duration)
    .action(async (topic: string, options: PeekOptions) => {
      await withLog(options, 'read', async (log) => {
        const { offsets } = await knownTopic(log, topic)
        if (isEmpty(offsets) && options.timeout) await firstRecord(log, topic, offsets, options.timeout)
        const now = (await knownTopic(log, topic)).offsets
        if (isEmpty(now)) say(`the topic ${topic} is empty`)
        for (const [partition, range] of now.entries()) await show(log, topic, partition, range, options)
      })
    })
}

/** `millrace topics tail`: what comes from now on. */
export function defineTail(topics: Command): void {
  withLogOptions(topics.command('tail <topic>').description('new records of a topic as they come, until Ctrl-C'))
    .option('-n, --count <count>', 'ends after so many records', wholeNumber)
    .option('--timeout <duration>', 'ends after that time', duration)
    .action(async (topic: string, options: TailOptions) => {
      await withLog(options, 'read', async (log) => {
        const { offsets } = await knownTopic(log, topic)
        await follow(log, topic, offsets, options)
      })
    })
}

/** Prints each record behind the ends that the partitions have now; returns when it is stopped, or has seen enough. */
async function follow(log: Log, topic: string, offsets: readonly PartitionOffsets[], options: TailOptions) {
  const stop = new AbortController()
  const { signal } = stop
  const quiet = onStop(() => stop.abort(), 'stopping')
  whenNobodyReads(() => stop.abort())
  const timer = options.timeout === undefined ? undefined : setTimeout(() => stop.abort(), options.timeout)
  let left = options.count ?? Number.POSITIVE_INFINITY
  say(`new records of ${topic}:`)
  const followPartition = async (partition: number, from: number): Promise<void> => {
    let position = from
    while (!signal.aborted && left > 0) {
      await log.waitForRecords(topic, partition, position, signal)
      if (signal.aborted) return
      const { start, end } = await log.offsets(topic, partition)
      for await (const record of recordValues(log, topic, partition, Math.max(start, position), end)) {
        if (left-- <= 0) return
        print(partition, record, options)
      }
      position = end
    }
    stop.abort()
  }
  try {
    await Promise.all(offsets.map(({ end }, partition) => followPartition(partition, end)))
  } finally {
    clearTimeout(timer)
    quiet()
  }
}

async function show(
  log: Log,
  topic: string,
  partition: number,
  { start, end }: PartitionOffsets,
  options: PeekOptions,
): Promise<void> {
  const from = options.fromBeginning
    ? start
    : Math.max(start, end - options.count - (log.kind === 'kafka' ? UNSEEN_MAX : 0))
  const wanted: RecordValue[] = []
  if (options.count > 0) {
    for await (const { offset, value } of recordValues(log, topic, partition, from, end)) {
      wanted.push({ offset, value: value.slice() })
      if (wanted.length > options.count) wanted.shift()
      if (options.fromBeginning && wanted.length === options.count) break
    }
  }
  for (const record of wanted) print(partition, record, options)
}

/** Returns with the first record of any partition, or when the time is over. */
async function firstRecord(log: Log, topic: string, offsets: readonly PartitionOffsets[], waitMs: number) {
  const found = new AbortController()
  const signal = AbortSignal.any([AbortSignal.timeout(waitMs), found.signal])
  const wait = async ({ end }: PartitionOffsets, partition: number): Promise<void> => {
    await log.waitForRecords(topic, partition, end, signal)
    found.abort()
  }
  await Promise.all(offsets.map(wait))
}

function isEmpty(offsets: readonly PartitionOffsets[]): boolean {
  return offsets.every(({ start, end }) => start === end)
}

function print(partition: number, { offset, value }: RecordValue, { json }: LogOptions): void {
  const text = Buffer.from(value).toString('utf8')
  process.stdout.write(
    json ? `${JSON.stringify({ partition, offset, value: text })}\n` : `${partition}/${offset}  ${text}\n`,
  )
}
