import { styleText } from 'node:util'
import type { Command, Help } from 'commander'

/** Examples fit into a terminal that nobody has made larger. */
const COLUMNS = 80
const EXAMPLE_WIDTH_MAX = 50

/** Puts examples in front of a command's help: each a command line and what it does, below it where there is no room beside it. */
export function showExamples(command: Command, examples: readonly (readonly [line: string, what: string])[]): void {
  const told = examples.filter(([, what]) => what !== '')
  const width = Math.min(EXAMPLE_WIDTH_MAX, Math.max(...told.map(([line]) => line.length)))
  const fits = ([line, what]: readonly [string, string]): boolean =>
    2 + Math.max(width, line.length) + 2 + what.length <= COLUMNS
  const below = !told.every(fits)
  const lines = examples.map(([line, what]) => {
    if (what === '') return `  ${line}`
    return below ? `  ${line}\n      ${what}` : `  ${line.padEnd(width)}  ${what}`
  })
  command.addHelpText('before', () => `${title('Examples:')}\n${lines.join('\n')}\n`)
}

/** How help is laid out; colours only where the terminal, NO_COLOR and FORCE_COLOR allow them. */
export const HELP_STYLE: Partial<Help> = { styleTitle: title, subcommandTerm, showGlobalOptions: false }

/** That a command takes options goes without saying; left out, the list fits into 80 columns. */
function subcommandTerm(command: Command): string {
  const words = command.registeredArguments.map((argument) => {
    const name = `${argument.name()}${argument.variadic ? '...' : ''}`
    return argument.required ? `<${name}>` : `[${name}]`
  })
  return [command.name(), ...words].join(' ')
}

function title(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}

/** What has to be typed for a command: `millrace topics list`. */
export function pathOf(command: Command): string {
  return command.parent ? `${pathOf(command.parent)} ${command.name()}` : command.name()
}
