import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { Command, CommanderError } from 'commander'
import { COMMANDS } from './commands/index.ts'
import { applyConfig } from './config/apply.ts'
import { loadEnvFile } from './config/env-file.ts'
import { settingNamed } from './config/settings.ts'
import { HELP_STYLE, pathOf, showExamples } from './help.ts'
import { addHelpCommand } from './help-command.ts'
import { exitCodeOf, reportError } from './report-error.ts'

const PACKAGE_LEVELS_MAX = 4

/** Parses the command line and runs the command; resolves to the exit code. */
export async function runProgram(args: readonly string[]): Promise<number> {
  let exitCode = 0
  const program = createProgram((code) => {
    exitCode = code
  })
  let current = program
  for (const command of allCommands(program)) {
    command.exitOverride().configureOutput({
      outputError: () => {
        current = command
      },
    })
  }
  try {
    await program.parseAsync(args, { from: 'user' })
    return exitCode
  } catch (error) {
    // What a command shows when it is called without the word that it needs, has been shown.
    const shown = error instanceof CommanderError && (error.exitCode === 0 || error.code === 'commander.help')
    // A command line that is wrong fails before `.env` is read, and it may hold a secret.
    await loadEnvFile(process.cwd(), process.env).catch(() => {})
    if (!shown) reportError(error, `${pathOf(current)} --help`)
    return exitCodeOf(error)
  }
}

/** The program with all its commands; `exit` hears what a command wants the process to end with. */
export function createProgram(exit: (code: number) => void): Command {
  const program = new Command('millrace')
    .description('Real-time clickstream analytics: live, exact answers from event streams, in one process.')
    .version(version(), '-v, --version', 'show the version')
    .enablePositionalOptions()
    .hook('preAction', (_, command) => applyConfig(command))
  showExamples(program, [
    ['millrace demo', 'synthetic events, live on a page'],
    ["millrace run pipeline.ts --input 'logs/*.ndjson.gz' --once", ''],
    ['zcat access.ndjson.gz | millrace run pipeline.ts --input - --print page_views', ''],
  ])
  for (const define of COMMANDS) define(program, exit)
  for (const command of [...allCommands(program)]) {
    if (command.commands.length > 0) addHelpCommand(command.helpCommand(false))
  }
  for (const command of allCommands(program)) {
    command.showSuggestionAfterError().configureHelp(HELP_STYLE).helpOption('-h, --help', 'show this help')
    if (takesSettings(command)) command.option('--config <file>', 'settings in YAML (millrace.yaml) [MILLRACE_CONFIG]')
  }
  return program
}

/** The command and all those below it. */
export function* allCommands(command: Command): Generator<Command> {
  yield command
  for (const child of command.commands) yield* allCommands(child)
}

function takesSettings(command: Command): boolean {
  return command.options.some(({ long }) => long && settingNamed(long.slice(2)))
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
