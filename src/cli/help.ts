import { styleText } from 'node:util'
import type { Command, Help } from 'commander'

/** Longer examples push what they do to the right. */
const EXAMPLE_WIDTH_MAX = 50

/** Puts examples in front of a command's help: each a command line and what it does. */
export function showExamples(command: Command, examples: readonly (readonly [line: string, what: string])[]): void {
  const width = Math.min(EXAMPLE_WIDTH_MAX, Math.max(...examples.map(([line]) => line.length)))
  const lines = examples.map(([line, what]) => `  ${line.padEnd(width)}  ${what}`.trimEnd())
  command.addHelpText('before', () => `${title('Examples:')}\n${lines.join('\n')}\n`)
}

/** How help is laid out; colours only where the terminal, NO_COLOR and FORCE_COLOR allow them. */
export const HELP_STYLE: Partial<Help> = { styleTitle: title, showGlobalOptions: false }

function title(text: string): string {
  return styleText('bold', text, { stream: process.stdout })
}
