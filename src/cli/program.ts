import { Command, CommanderError } from 'commander'
import { COMMANDS } from './commands/index.ts'
import { exitCodeOf, reportError } from './report-error.ts'

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
