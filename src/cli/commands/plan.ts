import type { Command } from 'commander'
import { MillraceError } from '../../base/error.ts'
import { explainPlan } from '../../plan/explain.ts'
import type { PipelinePlan } from '../../plan/node.ts'
import { planToJson } from '../../plan/plan-codec.ts'
import { withWatermarkDelay } from '../adapt-plan.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { printJson } from '../output.ts'
import { addPresetOptions, choosePipeline, type PresetOptions, pipelineWords } from '../preset-options.ts'
import { exitCodeOf } from '../report-error.ts'

interface PlanOptions extends PresetOptions {
  readonly json?: boolean
  readonly spark?: boolean
  readonly watermarkDelay?: number
}

/** `millrace plan`: shows what a pipeline would run. */
export const definePlan: DefineCommand = (program) => {
  const command = program
    .command('plan')
    .description('show what a pipeline would run')
    .argument('[pipeline]', 'a pipeline file (.ts, .js) or a plan (.json), unless a preset is named')
    .option('--json', 'the plan as data, which `run` takes back')
    .option('--explain', 'in words (default)')
    .option('--spark', 'as Spark would run it, and what it cannot do')
    .action(async (word: string | undefined, options: PlanOptions) => {
      const plan = await chosen(word, options)
      if (options.spark) process.stdout.write(await sparkText(plan, options))
      else process.stdout.write(options.json ? planToJson(plan) : explainPlan(plan))
    })
  addChoice(command)
  showExamples(command, [
    ['millrace plan pipeline.ts', ''],
    ['millrace plan --preset ecommerce', 'a pipeline that Millrace brings'],
    ['millrace plan pipeline.ts --spark', 'in SQL, with what is otherwise on a cluster'],
    ['millrace plan pipeline.ts --json > plan.json', '`millrace run plan.json` takes it back'],
  ])
}

/** `millrace validate`: says whether a pipeline can run, and everything that is wrong with it. */
export const defineValidate: DefineCommand = (program, exit) => {
  const command = program
    .command('validate')
    .description('check a pipeline without running it')
    .argument('[pipeline]', 'a pipeline file (.ts, .js) or a plan (.json), unless a preset is named')
    .option('--json', 'the verdict as JSON')
    .action(async (word: string | undefined, options: PlanOptions) => {
      try {
        const plan = await chosen(word, options)
        const queries = plan.queries.map((query) => query.name)
        if (options.json) printJson({ pipeline: plan.name, valid: true, queries })
        else process.stdout.write(`${plan.name} can run: ${queries.join(', ')}\n`)
      } catch (error) {
        if (!options.json || !(error instanceof MillraceError)) throw error
        const { code, message, hint } = error
        printJson({ pipeline: null, valid: false, error: { code, message, hint } })
        exit(exitCodeOf(error))
      }
    })
  addChoice(command)
  showExamples(command, [['millrace validate pipeline.ts', 'says everything that is wrong at once']])
}

function addChoice(command: Command): void {
  addPresetOptions(command)
  for (const name of ['topic', 'output', 'watermark-delay', 'bootstrap-servers'] as const)
    command.addOption(settingOption(name))
}

async function sparkText(plan: PipelinePlan, { bootstrapServers = 'HOST:PORT' }: PlanOptions): Promise<string> {
  const [{ sparkPlan }, { sparkQueries }, { describeSpark }] = await Promise.all([
    import('../../spark/capability.ts'),
    import('../../spark/write-stream.ts'),
    import('../../spark/describe.ts'),
  ])
  const spark = sparkPlan(plan)
  const settings = { bootstrapServers, checkpointRoot: 'CHECKPOINTS', relayRoot: 'RELAY', triggerMs: 1_000 }
  return describeSpark(spark, sparkQueries(spark.plan, settings))
}

/** What `run` would run with the same preset and settings; of a pipeline file, what the file says. */
async function chosen(word: string | undefined, options: PlanOptions): Promise<PipelinePlan> {
  const { path, topic } = pipelineWords(options, [word])
  const plan = await choosePipeline(path, topic === undefined ? options : { ...options, topic })
  const { preset, watermarkDelay } = options
  return preset === undefined || watermarkDelay === undefined ? plan : withWatermarkDelay(plan, watermarkDelay)
}
