import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { decodeText, encodeText } from '../base/bytes.ts'
import { createDirectory, removeFile, syncDirectory, writeDurableFile } from '../base/durable-file.ts'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { readFileIfThere } from '../base/file-io.ts'
import { type FileSystem, nodeFileSystem } from '../base/file-system.ts'
import type { ModelCommand } from '../ml/model-event.ts'

/** A command before it has a name. */
export type NewCommand =
  | Omit<Extract<ModelCommand, { action: 'promote' }>, 'id'>
  | Omit<Extract<ModelCommand, { action: 'rollback' }>, 'id'>

/**
 * What somebody wants of the models of a job, one file a command: `<checkpoint>/commands/<ms>-<random>.json`. A job takes commands into the
 * plan of an epoch, and removes their files once the plan is in the journal: from then on they are followed, once, whoever dies.
 */
export class CommandFolder {
  readonly #folder: string
  readonly #fileSystem: FileSystem

  constructor(checkpointFolder: string, fileSystem: FileSystem = nodeFileSystem) {
    this.#folder = join(checkpointFolder, 'commands')
    this.#fileSystem = fileSystem
  }

  /** Durable when it resolves; gives the command's id. */
  async put(command: NewCommand, nowMs: number): Promise<string> {
    const id = `${String(nowMs).padStart(15, '0')}-${randomBytes(8).toString('hex')}`
    await createDirectory(this.#folder, this.#fileSystem)
    const text = `${JSON.stringify({ ...command, id })}\n`
    await writeDurableFile(join(this.#folder, `${id}.json`), encodeText(text), { overwrite: false }, this.#fileSystem)
    return id
  }

  /** Commands that nobody has taken yet, oldest first. */
  async waiting(): Promise<ModelCommand[]> {
    const commands: ModelCommand[] = []
    for (const name of (await this.#names()).filter((one) => /^\d{15}-[0-9a-f]{16}\.json$/.test(one)).sort()) {
      const bytes = await readFileIfThere(join(this.#folder, name), this.#fileSystem)
      if (bytes !== undefined) commands.push(parsed(bytes, join(this.#folder, name)))
    }
    return commands
  }

  /** These will be followed. */
  async taken(commands: readonly ModelCommand[]): Promise<void> {
    if (commands.length === 0) return
    for (const { id } of commands) await removeFile(join(this.#folder, `${id}.json`), this.#fileSystem)
    await syncDirectory(this.#folder, this.#fileSystem)
  }

  async #names(): Promise<string[]> {
    try {
      return await this.#fileSystem.readdir(this.#folder)
    } catch (error) {
      if (systemErrorCode(error) === 'ENOENT') return []
      throw error
    }
  }
}

function parsed(bytes: Uint8Array, path: string): ModelCommand {
  try {
    return JSON.parse(decodeText(bytes)) as ModelCommand
  } catch (error) {
    throw new MillraceError('corrupt-data', `${path} is no command`, {
      hint: 'remove it, and give the command again',
      cause: error,
    })
  }
}
