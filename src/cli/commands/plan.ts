import { explainPlan } from '../../plan/explain.ts'
import { planToJson } from '../../plan/plan-codec.ts'
import { loadPipeline } from '../load-pipeline.ts'
import type { DefineCommand } from './index.ts'

/** `millrace plan`: shows what a pipeline would run. */
export const definePlan: DefineCommand = (program) => {
  program
    .command('plan')
    .description('show what a pipeline would run')
    .argument('<pipeline>', 'a pipeline file (.ts, .js) or a plan (.json)')
    .option('--json', 'the plan as data, which `run` takes back')
    .option('--explain', 'in words (default)')
    .action(async (path: string, options: { json?: boolean }) => {
      const plan = await loadPipeline(path)
      process.stdout.write(options.json ? planToJson(plan) : explainPlan(plan))
    })
}

/** `millrace validate`: says whether a pipeline can run, and everything that is wrong with it. */
export const defineValidate: DefineCommand = (program) => {
  program
    .command('validate')
    .description('check a pipeline without running it')
    .argument('<pipeline>', 'a pipeline file (.ts, .js) or a plan (.json)')
    .option('--json', 'the verdict as JSON')
    .action(async (path: string, options: { json?: boolean }) => {
      const plan = await loadPipeline(path)
      const queries = plan.queries.map((query) => query.name)
      const verdict = { pipeline: plan.name, valid: true, queries }
      process.stdout.write(
        options.json ? `${JSON.stringify(verdict)}\n` : `${plan.name} can run: ${queries.join(', ')}\n`,
      )
    })
}
