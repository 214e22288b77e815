import { z } from 'zod'
import { nearestName } from '../../plan/nearest-name.ts'
import { SETTING_TYPES } from './setting-type.ts'
import { notAValue, parseSetting } from './setting-value.ts'
import { SETTINGS, type Setting, type SettingName } from './settings.ts'

/** Checks what a configuration file says; every problem is a sentence that starts with the path. */
export function checkSettings(data: unknown): { values: Map<SettingName, string | number>; problems: string[] } {
  const values = new Map<SettingName, string | number>()
  const result = CONFIG_SCHEMA.safeParse(data)
  const problems = result.success ? [] : result.error.issues.flatMap((issue) => sentences(issue, data))
  if (problems.length > 0 || typeof data !== 'object' || data === null) return { values, problems }
  for (const setting of SETTINGS) {
    const written = Object.hasOwn(data, setting.name) ? (data as Record<string, unknown>)[setting.name] : undefined
    if (written === undefined || written === null) continue
    values.set(setting.name, parseSetting(setting, String(written)) as string | number)
  }
  return { values, problems }
}

/** JSON Schema of the configuration file, for editors. */
export function configJsonSchema(): object {
  return { ...z.toJSONSchema(CONFIG_SCHEMA, { io: 'input' }), title: 'Configuration of Millrace' }
}

const CONFIG_SCHEMA = z.strictObject(
  Object.fromEntries(SETTINGS.map((setting) => [setting.name, settingSchema(setting).optional()])),
)

function settingSchema(setting: Setting): z.ZodType {
  const { choices, written } = SETTING_TYPES[setting.type]
  const base: z.ZodType<string | number> = choices ? z.enum(choices) : written === 'number' ? z.number() : z.string()
  const checked = base.refine((value) => parseSetting(setting, String(value)) !== undefined)
  const standing = setting.default ?? setting.otherwise
  return checked.describe(standing === undefined ? setting.help : `${setting.help} (default: ${standing})`)
}

function sentences(issue: z.core.$ZodIssue, data: unknown): string[] {
  if (issue.code === 'unrecognized_keys') {
    return issue.keys.map((key) => {
      const names = SETTINGS.map((setting) => setting.name)
      const nearest = nearestName(key, names)
      return `there is no setting "${key.slice(0, 100)}" (${nearest ? `did you mean "${nearest}"?` : `there are ${names.join(', ')}`})`
    })
  }
  const name = String(issue.path[0] ?? '')
  const setting = SETTINGS.find((each) => each.name === name)
  if (!setting) return ['the file must be a list of lines such as `trigger: 1s`']
  const written = (data as Record<string, unknown>)[name]
  return [
    `${name}: ${notAValue(setting, typeof written === 'string' ? written : (JSON.stringify(written) ?? 'nothing'))}`,
  ]
}
