import type { Command } from 'commander'
import { defineCompletion } from './completion.ts'
import { defineConfig } from './config.ts'
import { defineDemo } from './demo.ts'
import { defineDoctor } from './doctor.ts'
import { defineGenerate } from './generate.ts'
import { definePlan, defineValidate } from './plan.ts'
import { defineProduce } from './produce.ts'
import { defineRun } from './run.ts'
import { defineStatus } from './status.ts'
import { defineTopics } from './topics.ts'

/** Adds a command to the program; `exit` says what the process ends with. */
export type DefineCommand = (program: Command, exit: (code: number) => void) => void

/** Every command, in the order of the help. */
export const COMMANDS: readonly DefineCommand[] = [
  defineDemo,
  defineRun,
  defineGenerate,
  defineProduce,
  defineTopics,
  definePlan,
  defineValidate,
  defineStatus,
  defineConfig,
  defineDoctor,
  defineCompletion,
]
