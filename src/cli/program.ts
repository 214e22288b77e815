import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { COMMANDS } from './commands/index.ts'
import { exitCodeOf, reportError } from './report-error.ts'

const PACKAGE_LEVELS_MAX = 4

/** Parses the command line and runs the command; resolves to the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = new Command('millrace')
    .description('Real-time clickstream analytics: live, exact answers from event streams, in one process.')
    .addHelpText(
      'before',
      `Examples:
  millrace demo                                       synthetic events, live on a page
  millrace run pipeline.ts --input 'logs/*.ndjson.gz' --once
  zcat access.ndjson.gz | millrace run pipeline.ts --input - --print page_views --format csv
`,
    )
    .version(version())
    .showSuggestionAfterError()
    .exitOverride()
    .enablePositionalOptions()
  for (const define of COMMANDS) {
    define(program, (code) => {
      exitCode = code
    })
  }
  for (const command of program.commands) command.exitOverride().showSuggestionAfterError()
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2
    reportError(error)
    return exitCodeOf(error)
  }
}

/** Of the package that this file is part of, in a checkout and when it is installed. */
function version(): string {
  let folder = import.meta.dirname
  for (let level = 0; level < PACKAGE_LEVELS_MAX; level++) {
    folder = dirname(folder)
    const file = join(folder, 'package.json')
    if (existsSync(file)) return (JSON.parse(readFileSync(file, 'utf8')) as { version: string }).version
  }
  return 'unknown'
}
