import { PRESETS } from '../../pipelines/index.ts'
import type { Preset, PresetSettings } from '../../pipelines/preset.ts'
import { nearestName } from '../../plan/nearest-name.ts'
import { SETTING_TYPES } from './setting-type.ts'
import { SETTINGS, type SettingName } from './settings.ts'

/** What a preset says where nobody says otherwise. */
export interface PresetLayer {
  readonly values: ReadonlyMap<SettingName, { readonly value: string | number; readonly origin: string }>
  readonly problems: readonly string[]
  /** Names in the environment that only presets understand, when the one in use does not. */
  readonly unused: readonly (readonly [reason: string, names: readonly string[]])[]
}

type Values = ReadonlyMap<SettingName, { readonly value: string | number }>

/** The settings of a preset and its profile, which are named by the command line or by `values`. */
export function presetLayer(
  named: { preset?: string | undefined; profile?: string | undefined },
  values: Values,
): PresetLayer {
  const name = named.preset ?? text(values, 'preset')
  const preset = name === undefined ? undefined : PRESETS.get(name)
  const profile = named.profile ?? text(values, 'profile')
  const problems = profile === undefined ? [] : profileProblems(profile, name, preset)
  const layer = new Map<SettingName, { value: string | number; origin: string }>()
  for (const setting of SETTINGS) {
    const special = profile === undefined ? undefined : settingIn(preset?.profiles[profile], setting.name)
    const written = special ?? settingIn(preset?.settings, setting.name)
    const value = written === undefined ? undefined : SETTING_TYPES[setting.type].parse(written)
    if (value === undefined) continue
    const origin = special === undefined ? `preset ${name}` : `preset ${name}, profile ${profile}`
    layer.set(setting.name, { value, origin })
  }
  return { values: layer, problems, unused: [['are for presets that have such a thing', unusedNames(preset)]] }
}

function profileProblems(profile: string, name: string | undefined, preset: Preset | undefined): string[] {
  if (profile === DEVELOPMENT) return []
  if (name === undefined) return [`the profile "${profile}" belongs to a preset, and none is named (--preset)`]
  if (!preset || Object.hasOwn(preset.profiles, profile)) return []
  const profiles = [DEVELOPMENT, ...Object.keys(preset.profiles)]
  const nearest = nearestName(profile, profiles)
  return [
    `the preset "${name}" has no profile "${profile}" (${nearest ? `did you mean "${nearest}"?` : `it has ${profiles.join(', ')}`})`,
  ]
}

/** A preset's own settings. */
const DEVELOPMENT = 'development'

/** Settings that a preset has or has not; without one, they mean nothing. */
const OF_PRESETS: readonly SettingName[] = ['page-window', 'geo-window', 'session-window', 'model']

function unusedNames(preset: Preset | undefined): string[] {
  const without = OF_PRESETS.filter((name) => settingIn(preset?.settings, name) === undefined)
  return SETTINGS.flatMap(({ name, env }) => (without.includes(name) ? env : []))
}

function settingIn(settings: Partial<PresetSettings> | undefined, name: SettingName): string | undefined {
  return (settings as Readonly<Record<string, string>> | undefined)?.[name]
}

function text(values: Values, name: SettingName): string | undefined {
  const value = values.get(name)?.value
  return value === undefined ? undefined : String(value)
}
