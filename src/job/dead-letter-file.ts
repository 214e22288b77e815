import { join } from 'node:path'
import { type AppendFile, openAppendFile } from '../base/append-file.ts'
import { encodeText } from '../base/bytes.ts'
import { createDirectory, removeFile, syncDirectory } from '../base/durable-file.ts'
import { systemErrorCode } from '../base/error.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import { formatTime } from '../base/time.ts'
import { DEAD_LETTER_BYTES_MAX, type DeadLetter } from '../engine/epoch.ts'

/** Committed bytes per file, oldest first. What lies behind them in a file is void. */
export type DeadLetterLengths = readonly (readonly [string, number])[]

/**
 * Rows that were not accepted, one JSON line each, with all that is needed to understand and to resend them.
 * Each process appends to a file of its own, `<run>-<fence>.ndjson`; the journal says how much of each file is certain, so a stale
 * process can write nothing that counts. `run` names the checkpoint, or the run without one: several may share the folder.
 */
export class DeadLetterFile {
  readonly folder: string
  readonly #run: string
  readonly #name: string
  readonly #fileSystem: FileSystem
  #committed: DeadLetterLengths
  #file: AppendFile | undefined

  constructor(
    folder: string,
    run: string,
    fence: number,
    committed: DeadLetterLengths,
    fileSystem: FileSystem = nodeFileSystem,
  ) {
    this.folder = folder
    this.#run = run
    this.#fileSystem = fileSystem
    this.#name = `${run}-${String(fence).padStart(10, '0')}.ndjson`
    this.#committed = committed
  }

  /** Removes what earlier processes of this run wrote for epochs that never became certain. */
  async open(): Promise<void> {
    await this.#removeVoid()
    for (const [name, length] of this.#committed) {
      const file = await openAppendFile(join(this.folder, name), this.#fileSystem)
      if (file.length > length) await file.truncate(length)
      await file.close()
    }
  }

  /** What is certain once the epoch is. */
  get lengths(): DeadLetterLengths {
    return this.#committed
  }

  /** Writes the letters of an epoch and waits until they are durable. The file is made with the first letter. */
  async append(epoch: number, letters: readonly DeadLetter[], partitionIds: readonly string[]): Promise<void> {
    if (letters.length === 0) return
    if (!this.#file) {
      await createDirectory(this.folder, this.#fileSystem)
      this.#file = await openAppendFile(join(this.folder, this.#name), this.#fileSystem)
    }
    const lines = letters.map((letter) => deadLetterLine(epoch, letter, partitionIds))
    await this.#file.append(encodeText(lines.join('')))
    await this.#file.sync()
    const others = this.#committed.filter(([name]) => name !== this.#name)
    this.#committed = [...others, [this.#name, this.#file.length]]
  }

  async close(): Promise<void> {
    await this.#file?.close()
    this.#file = undefined
  }

  /** A process that died before its first letters were certain leaves a file of which nothing counts. */
  async #removeVoid(): Promise<void> {
    const certain = new Set(this.#committed.map(([name]) => name))
    const names = await this.#fileSystem.readdir(this.folder).catch((error: unknown) => {
      if (systemErrorCode(error) === 'ENOENT') return []
      throw error
    })
    const empty = names.filter((name) => name.startsWith(`${this.#run}-`) && !certain.has(name))
    for (const name of empty) await removeFile(join(this.folder, name), this.#fileSystem)
    if (empty.length > 0) await syncDirectory(this.folder, this.#fileSystem)
  }
}

function deadLetterLine(epoch: number, letter: DeadLetter, partitionIds: readonly string[]): string {
  const text = new TextDecoder('utf-8', { fatal: false }).decode(letter.raw)
  const exact = Buffer.from(text, 'utf8').equals(letter.raw)
  const line = {
    partition: partitionIds[letter.partition],
    offset: letter.offset,
    fate: letter.fate,
    rule: letter.rule || null,
    reason: letter.reason,
    epoch,
    watermark: formatTime(letter.watermarkMs),
    windows_missed: letter.windowsMissed.map((window) => ({
      query: window.query,
      start: formatTime(window.startMs),
      end: formatTime(window.endMs),
    })),
    raw: text,
    // Bytes that are no UTF-8 cannot be shown as text without loss.
    // What lies behind is not kept.
    ...(letter.raw.length < DEAD_LETTER_BYTES_MAX ? {} : { raw_cut_at: DEAD_LETTER_BYTES_MAX }),
    ...(exact ? {} : { raw_base64: Buffer.from(letter.raw).toString('base64') }),
  }
  return `${JSON.stringify(line)}\n`
}
