import type { DefineCommand } from '../define-command.ts'
import { defineCompletion } from './completion.ts'
import { defineConfig } from './config.ts'
import { defineDemo } from './demo.ts'
import { defineDlq } from './dlq.ts'
import { defineDoctor } from './doctor.ts'
import { defineExplainEvent } from './explain-event.ts'
import { defineGenerate } from './generate.ts'
import { defineInspect } from './inspect.ts'
import { defineLoadTest } from './loadtest.ts'
import { defineModel } from './model.ts'
import { definePlan, defineValidate } from './plan.ts'
import { defineProduce } from './produce.ts'
import { defineQuery } from './query.ts'
import { defineRun } from './run.ts'
import { defineSpark } from './spark.ts'
import { defineStatus } from './status.ts'
import { defineStop } from './stop.ts'
import { defineTopics } from './topics.ts'
import { defineWipe } from './wipe.ts'

/** Every command, in the order of the help. */
export const COMMANDS: readonly DefineCommand[] = [
  defineDemo,
  defineRun,
  defineGenerate,
  defineProduce,
  defineLoadTest,
  defineTopics,
  defineQuery,
  defineInspect,
  defineDlq,
  defineModel,
  defineExplainEvent,
  definePlan,
  defineValidate,
  defineSpark,
  defineStatus,
  defineStop,
  defineWipe,
  defineConfig,
  defineDoctor,
  defineCompletion,
]
