import { type Command, Option } from 'commander'
import { pathOf } from '../help.ts'
import { say } from '../output.ts'
import { assertNoProblems, readConfig, SETTINGS_SHOWN } from './config.ts'
import { loadEnvFile, STARTED_WITH } from './env-file.ts'
import { notAValue, parseSetting } from './setting-value.ts'
import { type Setting, type SettingName, settingNamed } from './settings.ts'

/** A setting as an option of a command. Its text becomes a value in `applyConfig`, together with what is set elsewhere. */
export function settingOption(name: SettingName, help?: string): Option {
  const setting = settingNamed(name) as Setting
  const option = new Option(`--${name} <${placeholder(setting)}>`, `${help ?? setting.help} [${setting.env[0]}]`)
  const standing = setting.default
  return standing === undefined ? option : option.default(parseSetting(setting, standing), standing)
}

/**
 * Fills in the options of a command that are settings: what its flags say, else what the environment, `.env`, the file or the preset say, else
 * what the command itself takes. Throws `invalid-option` with everything that is wrong; reports once what has no effect.
 */
export async function applyConfig(command: Command): Promise<void> {
  const workingFolder = process.cwd()
  await loadEnvFile(workingFolder, process.env)
  const options = command.options.flatMap((option) => {
    const setting = option.long ? settingNamed(option.long.slice(2)) : undefined
    return setting ? [{ key: option.attributeName(), setting }] : []
  })
  if (options.length === 0) return
  const tokenFile = options.find(({ setting }) => setting.name === 'token-file')
  // Secrets have no flag; a file that the command line names beats what is set elsewhere.
  if (tokenFile && command.getOptionValueSource(tokenFile.key) !== 'cli')
    options.push({ key: 'token', setting: settingNamed('token') as Setting })
  const file = command.getOptionValue('config') as string | undefined
  const { preset, profile } = command.opts<{ preset?: string; profile?: string }>()
  const { values, problems, notices } = await readConfig({ workingFolder, env: STARTED_WITH, file, preset, profile })
  const wrong: string[] = []
  for (const { key, setting } of options) {
    const given = command.getOptionValue(key) as unknown
    if (command.getOptionValueSource(key) === 'cli') {
      if (typeof given !== 'string') continue
      const value = parseSetting(setting, given)
      if (value === undefined) wrong.push(`--${setting.name}: ${notAValue(setting, given)}`)
      else command.setOptionValueWithSource(key, value, 'cli')
    } else {
      const configured = values.get(setting.name)
      if (configured) command.setOptionValueWithSource(key, configured.value, configured.origin)
    }
  }
  const flags = `\`${pathOf(command)} --help\` shows every flag`
  assertNoProblems(
    [...wrong, ...problems],
    [...(wrong.length > 0 ? [flags] : []), ...(problems.length > 0 ? [SETTINGS_SHOWN] : [])].join(', '),
  )
  for (const notice of notices) say(`notice: ${notice}`)
}

function placeholder(setting: Setting): string {
  return setting.type === 'start' ? 'where' : setting.type
}
