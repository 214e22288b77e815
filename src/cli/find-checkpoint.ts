import { readdir } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { MillraceError } from '../base/error.ts'
import { settingOption } from './config/apply.ts'
import type { Home } from './home.ts'

/** Options that say which checkpoint is meant. */
export interface CheckpointOptions {
  readonly checkpoint?: string
  readonly pipeline?: string
}

/** Adds them to a command. */
export function checkpointOptions(command: Command): Command {
  return command
    .option('--pipeline <name>', 'pipeline whose checkpoint is meant, when the home folder has several')
    .option('--checkpoint <folder>', 'the checkpoint itself')
    .addOption(settingOption('home'))
    .option('--json', 'as JSON')
}

/** The folder that the options mean: the only checkpoint of the home folder when they name none. */
export async function checkpointFolder(home: Home, options: CheckpointOptions): Promise<string> {
  if (options.checkpoint !== undefined) return resolve(options.checkpoint)
  return home.checkpoint(await pipelineName(home, options))
}

/** Where the dead letters of that checkpoint are; see `placeOf`. */
export async function deadLetterFolder(home: Home, options: CheckpointOptions): Promise<string> {
  const pipeline = await pipelineName(home, options)
  const folder = await checkpointFolder(home, options)
  return folder === home.checkpoint(pipeline) ? home.deadLetters(pipeline) : join(folder, 'dead-letters')
}

/** The pipeline that the options mean. */
export async function pipelineName(home: Home, options: CheckpointOptions): Promise<string> {
  if (options.pipeline !== undefined) return options.pipeline
  if (options.checkpoint !== undefined) {
    const { viewCheckpoint } = await import('../job/checkpoint-view.ts')
    const name = (await viewCheckpoint(resolve(options.checkpoint))).header?.identity.pipeline
    if (name !== undefined) return name
  }
  const folder = dirname(home.checkpoint('any'))
  const names = await readdir(folder).catch(() => [])
  if (names.length === 1) return names[0] as string
  throw new MillraceError(
    'invalid-option',
    names.length === 0 ? `${folder} holds no checkpoint` : `${folder} holds several checkpoints`,
    {
      hint: names.length === 0 ? 'name one with --checkpoint' : `name one of them with --pipeline: ${names.join(', ')}`,
    },
  )
}
