import { open } from 'node:fs/promises'
import { join } from 'node:path'
import type { Command } from 'commander'
import { removeFile, syncDirectory } from '../../base/durable-file.ts'
import { MillraceError } from '../../base/error.ts'
import type { DeadLetterLengths } from '../../job/dead-letter-file.ts'
import { RecordBatchBuilder } from '../../log/record-batch-builder.ts'
import { settingOption } from '../config/apply.ts'
import { correctedEvent, type Letter, letterById, letterFiles, noteResent, readLetters } from '../dead-letters.ts'
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
import { collect, duration, wholeNumber } from '../options.ts'
import type { RejectedRows } from '../rejected-rows.ts'
import { textTable } from '../text-table.ts'

interface DlqOptions extends CheckpointOptions {
  readonly home?: string
  readonly json?: boolean
  readonly postgres?: string | true
  readonly schema: string
  readonly fate?: readonly string[]
  readonly limit: number
  readonly value?: string
  readonly topic?: string
  readonly again?: boolean
  readonly bootstrapServers?: string
  readonly olderThan?: number
}

/** `millrace dlq`: rows that were not accepted, and result rows that their tables refused. */
export const defineDlq: DefineCommand = (program) => {
  const group = program.command('dlq').description('look at dead letters and refused rows, correct and resend them')
  showExamples(group, [
    ['millrace dlq list --fate late', 'rows that came too late'],
    ['millrace dlq show events-0/42', 'everything about one'],
    ["millrace dlq resend events-0/42 --value '{...}'", 'the corrected event, once more'],
    ['millrace dlq list --postgres', 'also rows that a table refused'],
  ])
  const common = (signature: string, text: string): Command =>
    checkpointOptions(group.command(signature).description(text))
      .option('--postgres [url]', 'also rows that tables of this server (DATABASE_URL) refused')
      .option('--schema <name>', 'where millrace_rejected is', 'public')
  common('list', 'one line for each')
    .option('--fate <fate>', 'only those', collect)
    .option('--limit <count>', 'the newest so many', wholeNumber, 100)
    .action(list)
  common('show <id>', 'everything about one').action(show)
  common('resend [ids...]', 'send them again, marked with where they come from')
    .option('--fate <fate>', 'all of this fate', collect)
    .option('--value <event>', 'the corrected event, for one id')
    .option('--topic <name>', 'where to; the topic they came from when left out')
    .option('--again', 'also those that were resent before')
    .addOption(settingOption('bootstrap-servers'))
    .action(resend)
  common('purge', 'remove files of letters')
    .option('--older-than <duration>', 'only files that have not been written to for so long', duration)
    .action(purge)
}

interface Place {
  readonly home: Home
  readonly pipeline: string
  readonly folder: string
  /** Undefined when there is no checkpoint any more. */
  readonly lengths: DeadLetterLengths | undefined
}

async function placeOf(options: DlqOptions): Promise<Place> {
  const home = homeAt(options.home)
  const pipeline = await pipelineName(home, options)
  const { viewCheckpoint } = await import('../../job/checkpoint-view.ts')
  const view = await viewCheckpoint(await checkpointFolder(home, { ...options, pipeline })).catch((error: unknown) => {
    if (error instanceof MillraceError && error.code === 'invalid-option') return undefined
    throw error
  })
  return { home, pipeline, folder: await deadLetterFolder(home, { ...options, pipeline }), lengths: view?.deadLetters }
}

async function withRejected<T>(
  options: DlqOptions,
  pipeline: string,
  use: (rows: RejectedRows) => Promise<T>,
): Promise<T> {
  const { RejectedRows } = await import('../rejected-rows.ts')
  const rows = await RejectedRows.connect(
    options.postgres === true ? undefined : options.postgres,
    pipeline,
    options.schema,
  )
  try {
    return await use(rows)
  } finally {
    await rows.close()
  }
}

async function list(options: DlqOptions): Promise<void> {
  const { folder, lengths, pipeline } = await placeOf(options)
  const letters = (await readLetters(folder, lengths)).filter(({ fate }) => options.fate?.includes(fate) ?? true)
  const rejected = options.postgres === undefined ? [] : await withRejected(options, pipeline, (rows) => rows.list())
  if (options.json) return print([...letters, ...rejected])
  process.stdout.write(
    textTable(
      letters.slice(-options.limit).map(({ id, fate, reason, resent, raw }) => ({
        id,
        fate,
        reason,
        resent: resent ?? '',
        raw: raw.slice(0, 80),
      })),
    ),
  )
  process.stdout.write(
    textTable(
      rejected
        .slice(-options.limit)
        .map(({ id, table, code, message, row }) => ({ id, table, code, message, row: row.slice(0, 80) })),
    ),
  )
  const more = letters.length + rejected.length
  process.stderr.write(`${more} in all${more === 0 ? ': every row was accepted' : ''}\n`)
}

async function show(id: string, options: DlqOptions): Promise<void> {
  const { folder, lengths, pipeline } = await placeOf(options)
  if (id.includes('@') && options.postgres !== undefined) {
    const row = (await withRejected(options, pipeline, (rows) => rows.list())).find((one) => one.id === id)
    if (row) return print(row, !options.json)
  }
  print(letterById(await readLetters(folder, lengths), id), !options.json)
}

async function resend(ids: string[], options: DlqOptions): Promise<void> {
  const { home, folder, lengths, pipeline } = await placeOf(options)
  const letters = await readLetters(folder, lengths)
  const rejected = ids.filter((id) => id.includes('@'))
  const chosen = [
    ...ids.filter((id) => !id.includes('@')).map((id) => letterById(letters, id)),
    ...letters.filter(({ id, fate }) => options.fate?.includes(fate) && !ids.includes(id)),
  ]
  if (chosen.length + rejected.length === 0) {
    throw new MillraceError('invalid-option', 'nothing is named to be resent', { hint: 'give ids, or --fate' })
  }
  if (options.value !== undefined && ids.length !== 1) {
    throw new MillraceError('invalid-option', `one corrected event for ${ids.length} ids`, {
      hint: 'resend them one by one',
    })
  }
  for (const id of rejected) await withRejected(options, pipeline, (rows) => rows.resend(id, options.value))
  const fresh = chosen.filter(({ resent }) => resent === undefined || options.again)
  if (fresh.length > 0) await sendLetters(home, folder, fresh, options)
  const skipped = chosen.length - fresh.length
  const sent = fresh.length + rejected.length
  if (options.json) print({ resent: sent, skipped })
  else
    process.stderr.write(
      `${sent} resent${skipped > 0 ? `; ${skipped} had been resent before (--again sends them once more)` : ''}\n`,
    )
}

/** A crash between sending and noting may send a letter twice; its copy says where it comes from, so a dedupe can tell. */
async function sendLetters(home: Home, folder: string, letters: readonly Letter[], options: DlqOptions): Promise<void> {
  const log = await openLog(home, 'write', 'millrace dlq', options.bootstrapServers)
  try {
    for (const letter of letters) {
      const at = /^(.*)-(\d+)$/.exec(letter.partition)
      const topic = options.topic ?? at?.[1]
      const description = topic === undefined ? undefined : await log.describeTopic(topic)
      if (topic === undefined || !description) {
        throw new MillraceError('invalid-option', `there is no topic to send ${letter.id} to`, {
          hint: 'name one with --topic',
        })
      }
      const partition = Number(at?.[2] ?? 0) % description.offsets.length
      const builder = new RecordBatchBuilder()
      builder.add(null, correctedEvent(letter, options.value), Date.now())
      const { baseOffset } = await log.append(topic, partition, builder.finish())
      await noteResent(folder, [{ id: letter.id, to: `${topic}-${partition}/${baseOffset}` }])
    }
  } finally {
    await log.close()
  }
}

async function purge(options: DlqOptions): Promise<void> {
  const { folder, lengths } = await placeOf(options)
  // The newest file of a checkpoint is that of the process that may be running.
  const inUse = lengths?.at(-1)?.[0]
  const removed: string[] = []
  for (const name of await letterFiles(folder)) {
    const file = await open(join(folder, name), 'r')
    const { mtimeMs } = await file.stat()
    await file.close()
    if (name === inUse || Date.now() - mtimeMs < (options.olderThan ?? 0)) continue
    await removeFile(join(folder, name))
    removed.push(name)
  }
  if (removed.length > 0) await syncDirectory(folder)
  if (options.json) return print({ removed })
  process.stderr.write(
    `${removed.length} files removed${inUse === undefined ? '' : `; ${inUse} is in use and stays`}\n`,
  )
}

function print(data: unknown, pretty = false): void {
  process.stdout.write(`${JSON.stringify(data, undefined, pretty ? 2 : undefined)}\n`)
}
