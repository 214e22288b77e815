import { MillraceError } from '../../base/error.ts'
import { keepSecret, redact } from '../../base/redact.ts'
import { nearestName } from '../../plan/nearest-name.ts'
import { readConfigFile } from './config-file.ts'
import { readEnvFile } from './env-file.ts'
import { presetLayer } from './preset-layer.ts'
import { notAValue, parseSetting } from './setting-value.ts'
import { SETTINGS, type Setting, type SettingName, UNUSED_NAMES } from './settings.ts'

/** A value and where it was found: `MILLRACE_TRIGGER`, `.env: MILLRACE_TRIGGER`, `millrace.yaml`, `preset ecommerce`. */
export interface Configured {
  readonly value: string | number
  readonly origin: string
}

/** All settings that have a value outside of the command line. What is wrong is collected, to be told at once. */
export interface Config {
  readonly values: ReadonlyMap<SettingName, Configured>
  /** What cannot be read, one sentence each. */
  readonly problems: readonly string[]
  /** What has no effect, one sentence each. */
  readonly notices: readonly string[]
}

/** Where configuration is looked for. */
export interface ConfigPlaces {
  readonly workingFolder: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** A file that must be there; without it, `millrace.yaml` may be. */
  readonly file: string | undefined
  /** A preset and a profile that the command line names. */
  readonly preset?: string | undefined
  readonly profile?: string | undefined
}

/** Looks everything up, in the order environment, `.env`, file, preset. The token is hidden from now on. */
export async function readConfig(places: ConfigPlaces): Promise<Config> {
  const envFile = await readEnvFile(places.workingFolder)
  const named = places.file ?? places.env['MILLRACE_CONFIG'] ?? envFile.get('MILLRACE_CONFIG')
  const file = await readConfigFile(places.workingFolder, named)
  const env = new Map(Object.entries(places.env).filter((entry): entry is [string, string] => Boolean(entry[1])))
  const problems = [...file.problems]
  const values = new Map<SettingName, Configured>()
  for (const setting of SETTINGS) {
    const found = inEnvironment(setting, env, '') ?? inEnvironment(setting, envFile, '.env: ')
    if (found) {
      const value = parseSetting(setting, found.text)
      if (value === undefined) problems.push(`${found.origin}: ${notAValue(setting, found.text)}`)
      else values.set(setting.name, { value, origin: found.origin })
    } else {
      const value = file.values.get(setting.name)
      if (value !== undefined) values.set(setting.name, { value, origin: file.path })
    }
  }
  const layer = presetLayer(places, values)
  for (const [name, configured] of layer.values) if (!values.has(name)) values.set(name, configured)
  problems.push(...layer.problems)
  const token = values.get('token')
  if (token) keepSecret(String(token.value))
  return { values, problems, notices: noticesOf(new Map([...envFile, ...env]), layer.unused) }
}

/** Throws when anything is wrong, with all of it; `where` is the commands that show what can be set. */
export function assertNoProblems(problems: readonly string[], where: string = SETTINGS_SHOWN): void {
  if (problems.length === 0) return
  const message =
    problems.length === 1
      ? redact(problems[0] as string)
      : `${problems.length} settings are wrong:\n${problems.map((problem) => `  ${redact(problem)}`).join('\n')}`
  throw new MillraceError('invalid-option', message, {
    hint: `correct ${problems.length === 1 ? 'it' : 'them'} and start again; ${where}`,
  })
}

/** Where a setting outside of the command line is looked up. */
export const SETTINGS_SHOWN = '`millrace config env` shows every setting'

function inEnvironment(
  setting: Setting,
  env: ReadonlyMap<string, string>,
  place: string,
): { text: string; origin: string } | undefined {
  for (const name of setting.env) {
    const text = env.get(name)
    if (text) return { text, origin: `${place}${name}` }
  }
  return undefined
}

function noticesOf(env: ReadonlyMap<string, string>, unusedNames: typeof UNUSED_NAMES): string[] {
  const unused = [...UNUSED_NAMES, ...unusedNames].flatMap(([reason, names]) => {
    const set = names.filter((name) => env.has(name))
    return set.length === 0 ? [] : [`${set.join(', ')} ${reason}`]
  })
  const known = SETTINGS.flatMap((setting) => setting.env.filter((name) => name.startsWith('MILLRACE_')))
  const misspelt = [...env.keys()].flatMap((name) => {
    if (!name.startsWith('MILLRACE_') || OTHER_NAMES.has(name) || known.some((each) => each === name)) return []
    const nearest = nearestName(
      name.slice(9),
      known.map((each) => each.slice(9)),
    )
    return nearest === undefined ? [] : [`${name} is no setting (did you mean MILLRACE_${nearest}?)`]
  })
  const all = [...unused, ...misspelt]
  return all.length === 0 ? [] : [`without effect: ${all.join('; ')}`]
}

/** Names in the environment that are no settings: for developers, and between our own processes. */
const OTHER_NAMES: ReadonlySet<string> = new Set([
  'MILLRACE_CONFIG',
  'MILLRACE_DEBUG',
  'MILLRACE_FAILPOINT',
  'MILLRACE_FAILPOINT_TRACE',
  'MILLRACE_PARENT_FD',
  'MILLRACE_REQUIRE',
  'MILLRACE_STARTED_AT_MS',
  'MILLRACE_TEST_BUNDLE',
  'MILLRACE_TEST_SCALE',
])
