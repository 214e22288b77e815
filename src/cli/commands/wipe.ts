import { access, readdir, rm, rmdir } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { MillraceError } from '../../base/error.ts'
import { attempt } from '../../base/file-io.ts'
import { nodeFileSystem } from '../../base/file-system.ts'
import { clearOutputFolder, readOwner } from '../../sinks/output-log.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { holdersOf } from '../holders.ts'
import { type Home, homeAt } from '../home.ts'
import { printJson, say } from '../output.ts'

interface WipeOptions {
  readonly home: string
  readonly output?: string
  readonly keepLog?: boolean
  readonly yes?: boolean
  readonly json?: boolean
}

/** What Millrace makes in a home folder; whatever else is there stays. */
const IN_HOME = [
  'log',
  'checkpoints',
  'dead-letters',
  'alerts',
  'output',
  'postgres',
  'results.duckdb',
  'results.duckdb.wal',
  'results.duckdb.api.json',
]
/** How deep below `--output` the folder of a sink may be. */
const DEPTH_MAX = 4

/** `millrace wipe`: back to the beginning. */
export const defineWipe: DefineCommand = (program) => {
  const command = program
    .command('wipe')
    .description('remove topics, checkpoints and results of a home folder, to begin anew')
    .addOption(settingOption('home'))
    .addOption(settingOption('output'))
    .addOption(settingOption('preset'))
    .option('--keep-log', 'the topics of the embedded log stay')
    .option('--yes', 'remove it; without, only tell what would be removed')
    .option('--json', 'what is removed, as JSON')
    .action(wipe)
  showExamples(command, [
    ['millrace wipe', 'what there is to be removed'],
    ['millrace wipe --preset page-geo-sessions --yes', 'with the files that the preset has written'],
    ['millrace wipe --keep-log --output out --yes', 'the same events once more'],
  ])
}

async function wipe(options: WipeOptions): Promise<void> {
  const home = homeAt(options.home)
  await assertUnused(home)
  const own = await thereOf(
    IN_HOME.filter((name) => !(options.keepLog && name === 'log')).map((name) => join(home.path, name)),
  )
  const outputs = options.output === undefined ? [] : await outputsBelow(resolve(options.output))
  const all = [...own, ...outputs]
  if (options.json) printJson(all)
  else for (const path of all) process.stdout.write(`${path}\n`)
  if (all.length === 0) return say(`there is nothing to remove in ${home.path}`)
  if (!options.yes) {
    throw new MillraceError('invalid-option', `nothing was removed: this would remove ${counted(all.length)}`, {
      hint: 'add --yes to remove them; topics and tables of servers are never touched',
    })
  }
  for (const path of own) await attempt('remove', path, () => rm(path, { recursive: true }))
  for (const folder of outputs) {
    await clearOutputFolder(folder)
    await rmdir(folder).catch(() => {}) // It has files of others.
  }
  await rmdir(home.path).catch(() => {}) // It has files of others.
  say(`removed ${counted(all.length)}`)
}

async function assertUnused(home: Home): Promise<void> {
  const [holder] = await holdersOf(home)
  if (!holder) return
  throw new MillraceError('unavailable', `${home.path} is in use by ${holder.who} (process ${holder.pid})`, {
    hint: '`millrace stop` ends it first',
  })
}

async function thereOf(paths: readonly string[]): Promise<string[]> {
  const there = await Promise.all(
    paths.map((path) =>
      access(path).then(
        () => true,
        () => false,
      ),
    ),
  )
  return paths.filter((_, index) => there[index])
}

/** Folders that a file sink calls its own. */
async function outputsBelow(folder: string, depth = 0): Promise<string[]> {
  if ((await readOwner(folder, nodeFileSystem)) !== undefined) return [folder]
  if (depth === DEPTH_MAX) return []
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const below = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
  const found = await Promise.all(below.map(({ name }) => outputsBelow(join(folder, name), depth + 1)))
  return found.flat().sort()
}

function counted(count: number): string {
  return `${count} ${count === 1 ? 'item' : 'items'}`
}
