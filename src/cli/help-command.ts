import type { Command } from 'commander'
import { MillraceError } from '../base/error.ts'
import { nearestName } from '../plan/nearest-name.ts'
import { pathOf } from './help.ts'

/** Gives a command that has others below it a `help <command...>`, which says so when there is no such command. */
export function addHelpCommand(parent: Command): void {
  parent
    .command('help')
    .description('show the help of a command')
    .argument('[command...]', 'its name; of a command below another one both names')
    .action((words: readonly string[]) => helped(parent, words).help())
}

function helped(parent: Command, words: readonly string[]): Command {
  let command = parent
  for (const word of words) {
    const next = command.commands.find((one) => one.name() === word || one.aliases().includes(word))
    if (!next) throw unknownCommand(command, word)
    command = next
  }
  return command
}

function unknownCommand(parent: Command, word: string): MillraceError {
  const near = nearestName(
    word,
    parent.commands.map((one) => one.name()),
  )
  return new MillraceError('invalid-option', `${pathOf(parent)} has no command '${word}'`, {
    hint: near === undefined ? `\`${pathOf(parent)} --help\` lists them` : `did you mean ${near}?`,
  })
}
