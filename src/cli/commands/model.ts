import { systemClock } from '../../base/clock.ts'
import { MillraceError } from '../../base/error.ts'
import { CommandFolder, type NewCommand } from '../../job/command-folder.ts'
import type { DefineCommand } from '../define-command.ts'
import { type CheckpointOptions, checkpointFolder, checkpointOptions } from '../find-checkpoint.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { wholeNumber } from '../options.ts'
import { printJson, say } from '../output.ts'

interface ModelOptions extends CheckpointOptions {
  readonly home?: string
  readonly json?: boolean
  readonly to?: number
}

/** `millrace model`: tells a job what to do with its models; it follows with its next epoch, or when it starts again. */
export const defineModel: DefineCommand = (program) => {
  const model = program
    .command('model')
    .description('promote a challenger, or take weights back, while a job runs or before')
  showExamples(model, [
    ['millrace model promote purchase/fast', 'the challenger `fast` of the model `purchase` answers from now on'],
    ['millrace model rollback purchase', 'to the newest weights that were better than the base rate'],
    [
      'millrace model rollback purchase --to 12000',
      'to the weights of that version, if they are kept (GET /api/models)',
    ],
  ])
  checkpointOptions(
    model.command('promote <challenger>').description('let a challenger, or a former champion, answer'),
  ).action(async (challenger: string, options: ModelOptions) => {
    const command = { action: 'promote', model: challenger.replace(/\/.*$/, ''), challenger } as const
    await give(command, options)
  })
  checkpointOptions(
    model
      .command('rollback <model>')
      .description('take weights back to kept ones')
      .option('--to <version>', 'version', wholeNumber),
  ).action(async (name: string, options: ModelOptions) => {
    await give({ action: 'rollback', model: name, version: options.to ?? null }, options)
  })
}

async function give(command: NewCommand, options: ModelOptions): Promise<void> {
  const folder = await checkpointFolder(homeAt(options.home), options)
  const { viewCheckpoint } = await import('../../job/checkpoint-view.ts')
  if (!(await viewCheckpoint(folder)).header) {
    throw new MillraceError('invalid-option', `${folder} is no checkpoint of a job`, {
      hint: 'name one with --checkpoint',
    })
  }
  const id = await new CommandFolder(folder).put(command, systemClock.now())
  if (options.json) printJson({ id, ...command, checkpoint: folder })
  else say('the job follows with its next epoch; what came of it is in modelEvents() and on its page')
}
