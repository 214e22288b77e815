import { MillraceError } from '../../base/error.ts'
import { explainPlan } from '../../plan/explain.ts'
import { planToJson } from '../../plan/plan-codec.ts'
import { showExamples } from '../help.ts'
import { loadPipeline } from '../load-pipeline.ts'
import { printJson } from '../output.ts'
import { exitCodeOf } from '../report-error.ts'
import type { DefineCommand } from './index.ts'

/** `millrace plan`: shows what a pipeline would run. */
export const definePlan: DefineCommand = (program) => {
  const command = program
    .command('plan')
    .description('show what a pipeline would run')
    .argument('<pipeline>', 'a pipeline file (.ts, .js) or a plan (.json)')
    .option('--json', 'the plan as data, which `run` takes back')
    .option('--explain', 'in words (default)')
    .action(async (path: string, options: { json?: boolean }) => {
      const plan = await loadPipeline(path)
      process.stdout.write(options.json ? planToJson(plan) : explainPlan(plan))
    })
  showExamples(command, [
    ['millrace plan pipeline.ts', ''],
    ['millrace plan pipeline.ts --json > plan.json', '`millrace run plan.json` takes it back'],
  ])
}

/** `millrace validate`: says whether a pipeline can run, and everything that is wrong with it. */
export const defineValidate: DefineCommand = (program, exit) => {
  const command = program
    .command('validate')
    .description('check a pipeline without running it')
    .argument('<pipeline>', 'a pipeline file (.ts, .js) or a plan (.json)')
    .option('--json', 'the verdict as JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      try {
        const plan = await loadPipeline(path)
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
  showExamples(command, [['millrace validate pipeline.ts', 'says everything that is wrong at once']])
}
