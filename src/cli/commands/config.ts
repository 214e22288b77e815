import { namesSecret, REDACTED } from '../../base/redact.ts'
import { assertNoProblems, type Config, readConfig } from '../config/config.ts'
import { envExample } from '../config/env-example.ts'
import { STARTED_WITH } from '../config/env-file.ts'
import { formatSetting } from '../config/setting-value.ts'
import { SETTINGS, type Setting } from '../config/settings.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { printJson, say } from '../output.ts'

interface ShowOptions {
  readonly config?: string
  readonly origin?: boolean
  readonly json?: boolean
}

interface ShownSetting {
  readonly name: string
  readonly value: string | null
  readonly origin: string
  readonly env: readonly string[]
}

/** `millrace config`: what is set, where, and what can be. */
export const defineConfig: DefineCommand = (program) => {
  const config = program.command('config').description('show what is set, where it was set, and what can be')
  config
    .command('show')
    .description('all settings as they stand in this folder')
    .option('--origin', 'with the place where each was found')
    .option('--config <file>', 'settings in YAML (millrace.yaml) [MILLRACE_CONFIG]')
    .option('--json', 'as JSON, with origins')
    .action(show)
  config
    .command('schema')
    .description('JSON Schema of millrace.yaml, for editors')
    .option('--json', 'as it is anyway')
    .action(async () => {
      const { configJsonSchema } = await import('../config/config-schema.ts')
      process.stdout.write(`${JSON.stringify(configJsonSchema(), null, 2)}\n`)
    })
  config
    .command('env')
    .description('a .env.example with every setting')
    .option('--json', 'names and defaults as JSON')
    .action((options: { json?: boolean }) => {
      if (options.json) printJson(SETTINGS)
      else process.stdout.write(envExample())
    })
  showExamples(config, [
    ['millrace config show --origin', ''],
    ['millrace config env > .env', 'then take the # away from what you set'],
    ['millrace config schema > millrace.schema.json', 'for editors'],
  ])
}

async function show({ config: file, origin, json }: ShowOptions): Promise<void> {
  const config = await readConfig({ workingFolder: process.cwd(), env: STARTED_WITH, file })
  assertNoProblems(config.problems)
  const shown = SETTINGS.map((setting) => shownSetting(setting, config))
  if (json) return printJson(shown)
  for (const notice of config.notices) say(`notice: ${notice}`)
  const width = Math.max(...shown.map(({ name }) => name.length))
  for (const { name, value, origin: place } of shown) {
    process.stdout.write(`${name.padEnd(width)}  ${value ?? '-'}${origin ? `  (${place})` : ''}\n`)
  }
}

function shownSetting(setting: Setting, { values }: Config): ShownSetting {
  const { name, env } = setting
  const found = values.get(name)
  if (!found) return { name, value: setting.default ?? null, origin: otherwise(setting), env }
  const value = namesSecret(name) ? REDACTED : formatSetting(setting, found.value)
  return { name, value, origin: found.origin, env }
}

function otherwise(setting: Setting): string {
  return setting.otherwise ?? 'default'
}
