import assert from 'node:assert/strict'
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { describe, test } from 'node:test'
import type { Command } from 'commander'
import { allCommands, createProgram } from './program.ts'

const FOLDER = resolve('test/golden/help')
const LINES_MAX = 100
const COLUMNS = 80

// What helps has no help of its own to review.
const commands = [...allCommands(createProgram(() => {}))].filter((command) => command.name() !== 'help')

describe('help is what was reviewed (MILLRACE_UPDATE_GOLDEN=1 takes it as it is)', () => {
  for (const command of commands) {
    test(nameOf(command), () => {
      const help = helpOf(command)
      assert.ok(help.split('\n').length < LINES_MAX)
      const file = join(FOLDER, fileOf(command))
      if (process.env['MILLRACE_UPDATE_GOLDEN']) writeFileSync(file, help)
      assert.equal(help, readFileSync(file, 'utf8'))
    })
  }

  test('and nothing else', () => {
    assert.deepEqual(readdirSync(FOLDER).toSorted(), commands.map(fileOf).toSorted())
  })
})

test('each command shows examples first, its own or those of the command that it belongs to', () => {
  for (const command of commands) {
    const shown =
      helpOf(command).startsWith('Examples:\n') || helpOf(command.parent as Command).startsWith('Examples:\n')
    assert.ok(shown, nameOf(command))
  }
  const top = commands.filter(({ parent }) => !parent?.parent)
  for (const command of top) assert.ok(helpOf(command).startsWith('Examples:\n'), nameOf(command))
})

test('help fits into a terminal of 80 columns', () => {
  const wide = commands.flatMap((command) => helpOf(command).split('\n')).filter((line) => line.length > COLUMNS)
  assert.deepEqual(wide, [])
})

test('each command that does something answers in JSON when asked', () => {
  for (const command of commands) {
    if (command.commands.length > 0) continue
    assert.ok(
      command.options.some(({ long }) => long === '--json'),
      nameOf(command),
    )
  }
})

function helpOf(command: Command): string {
  let text = ''
  const write = (part: string): void => {
    text += part
  }
  command.configureOutput({ writeOut: write, getOutHelpWidth: () => COLUMNS, getOutHasColors: () => false })
  command.outputHelp()
  return text
}

function nameOf(command: Command): string {
  return command.parent ? `${nameOf(command.parent)} ${command.name()}` : command.name()
}

function fileOf(command: Command): string {
  return `${nameOf(command).replaceAll(' ', '-')}.txt`
}
