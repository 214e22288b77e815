import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { openAppendFile } from '../base/durable-file.ts'
import { MillraceError } from '../base/error.ts'
import type { DeadLetterLengths } from '../job/dead-letter-file.ts'

/** A row that was not accepted, as its file has it. */
export interface Letter {
  /** `<partition>/<offset>`: one row, one letter. */
  readonly id: string
  readonly partition: string
  readonly offset: number
  readonly fate: string
  readonly rule: string | null
  readonly reason: string
  readonly epoch: number
  readonly watermark: string
  readonly windows_missed: readonly { readonly query: string; readonly start: string; readonly end: string }[]
  readonly raw: string
  readonly raw_base64?: string
  /** Where a corrected copy was sent, when there is one. */
  readonly resent?: string
}

const RESENT_FILE = 'resent.ndjson'

/** The certain letters of a folder, oldest file first. Without `lengths` (no checkpoint is left) files count as they are. */
export async function readLetters(folder: string, lengths: DeadLetterLengths | undefined): Promise<Letter[]> {
  const certain = lengths && new Map(lengths)
  const resent = await readResent(folder)
  const letters: Letter[] = []
  for (const name of await letterFiles(folder)) {
    // Runs without a checkpoint have nothing that tells how much of their file is certain.
    const length = certain && !name.startsWith('once-') ? (certain.get(name) ?? 0) : undefined
    const text = decodeText((await readFile(join(folder, name))).subarray(0, length))
    for (const line of text.split('\n').filter((one) => one !== '')) {
      const letter = JSON.parse(line) as Omit<Letter, 'id'>
      const id = `${letter.partition}/${letter.offset}`
      const to = resent.get(id)
      letters.push({ id, ...letter, ...(to === undefined ? {} : { resent: to }) })
    }
  }
  return letters
}

/** Names of the files that hold letters. */
export async function letterFiles(folder: string): Promise<string[]> {
  const names = await readdir(folder).catch(() => [])
  return names.filter((name) => name.endsWith('.ndjson') && name !== RESENT_FILE).sort()
}

/** Writes down, durably, where corrected copies went, so that nobody sends them twice unknowingly. */
export async function noteResent(folder: string, sent: readonly { id: string; to: string }[]): Promise<void> {
  const file = await openAppendFile(join(folder, RESENT_FILE))
  await file.append(encodeText(sent.map((one) => `${JSON.stringify(one)}\n`).join('')))
  await file.sync()
  await file.close()
}

/** The letter of that id. */
export function letterById(letters: readonly Letter[], id: string): Letter {
  const letter = letters.find((one) => one.id === id)
  if (letter) return letter
  throw new MillraceError('invalid-option', `there is no dead letter "${id}"`, {
    hint: '`millrace dlq list` shows their ids',
  })
}

/**
 * The event to send instead of a letter's: the corrected one, or the row as it was. A JSON object says in `_resent_from` which row
 * it comes from. Throws when the row was cut, because its rest is not kept.
 */
export function correctedEvent(letter: Letter, corrected: string | undefined): Uint8Array {
  if (corrected === undefined && 'raw_cut_at' in letter) {
    throw new MillraceError('unsupported', `the row of ${letter.id} was too long to be kept whole`, {
      hint: 'give the whole event with --value',
    })
  }
  if (corrected === undefined && letter.raw_base64 !== undefined) return Buffer.from(letter.raw_base64, 'base64')
  const text = (corrected ?? letter.raw).trim()
  if (!text.startsWith('{') || !text.endsWith('}') || !isJson(text)) return encodeText(text)
  // Put in as text: parsing and printing would change numbers that no double holds.
  const members = text.slice(1).trimStart() === '}' ? '' : ','
  return encodeText(`{"_resent_from":${JSON.stringify(letter.id)}${members}${text.slice(1)}`)
}

async function readResent(folder: string): Promise<Map<string, string>> {
  const text = await readFile(join(folder, RESENT_FILE), 'utf8').catch(() => '')
  const lines = text.split('\n').filter((line) => line !== '')
  return new Map(lines.map((line) => JSON.parse(line) as { id: string; to: string }).map(({ id, to }) => [id, to]))
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text)
    return true
  } catch {
    return false
  }
}
