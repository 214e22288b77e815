import { nearestName } from '../../plan/nearest-name.ts'
import { SETTING_TYPES, type SettingForm } from './setting-type.ts'
import type { Setting } from './settings.ts'

/** The value that a text stands for; undefined when it is none. */
export function parseSetting(setting: Setting, text: string): string | number | undefined {
  return formOf(setting).parse(text)
}

/** How a value is written. */
export function formatSetting(setting: Setting, value: string | number): string {
  return formOf(setting).format(value)
}

/** Says what a value should have been. */
export function notAValue(setting: Setting, text: string): string {
  const form = formOf(setting)
  if (setting.type === 'secret') return `the value is not ${form.expected}`
  const nearest = form.choices && nearestName(text, form.choices)
  return `"${text.slice(0, 100)}" is not ${form.expected}${nearest ? ` (did you mean "${nearest}"?)` : ''}`
}

function formOf(setting: Setting): SettingForm {
  return SETTING_TYPES[setting.type]
}
