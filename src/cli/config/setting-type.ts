import { formatDuration, parseDuration } from '../../base/time.ts'
import { PRESETS } from '../../pipelines/index.ts'

/** What a setting's value is. */
export type SettingType =
  | 'text'
  | 'folder'
  | 'file'
  | 'topic'
  | 'name'
  | 'secret'
  | 'start'
  | 'preset'
  | 'model'
  | 'duration'
  | 'count'
  | 'port'

/** One type of value: how it is written, and what is expected when it is not written so. */
export interface SettingForm {
  /** Undefined when the text is no such value. */
  readonly parse: (text: string) => string | number | undefined
  readonly format: (value: string | number) => string
  /** Completes "... is not". */
  readonly expected: string
  /** How it is written in a configuration file. */
  readonly written: 'text' | 'number'
  /** All there is to choose from. */
  readonly choices?: readonly string[]
}

const LENGTH_MAX = 4_096

/** Every type of value that a setting can have. */
export const SETTING_TYPES: Readonly<Record<SettingType, SettingForm>> = {
  text: textForm(/^[^\0\r\n]+$/, 'a text of one line'),
  folder: textForm(/^[^\0\r\n]+$/, 'the path of a folder'),
  file: textForm(/^[^\0\r\n]+$/, 'the path of a file'),
  topic: textForm(/^[A-Za-z0-9._-]{1,249}$/, 'the name of a topic (letters, digits, ".", "_", "-")'),
  name: textForm(/^(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}$/, 'a name (letters, digits, ".", "_", "-")'),
  secret: textForm(/^[\x21-\x7e]{8,}$/, 'a secret of at least 8 characters without spaces'),
  preset: {
    ...textForm(/^./, `one of the presets ${[...PRESETS.keys()].join(', ')}`),
    parse: (text) => (PRESETS.has(text) ? text : undefined),
    choices: [...PRESETS.keys()],
  },
  model: { ...textForm(/^(honest|compat)$/, 'honest or compat'), choices: ['honest', 'compat'] },
  start: { ...textForm(/^(earliest|latest)$/, 'earliest or latest'), choices: ['earliest', 'latest'] },
  duration: {
    parse: parseDuration,
    format: (value) => formatDuration(Number(value)).replaceAll(' ', ''),
    expected: 'a duration such as 30s, "5 minutes" or 1h',
    written: 'text',
  },
  count: numberForm(1, 1e15, 'a whole number from 1 on'),
  port: numberForm(0, 65_535, 'a port from 0 to 65535'),
}

function textForm(pattern: RegExp, expected: string): SettingForm {
  return {
    parse: (text) => (text.length <= LENGTH_MAX && pattern.test(text) ? text : undefined),
    format: String,
    expected,
    written: 'text',
  }
}

function numberForm(min: number, max: number, expected: string): SettingForm {
  return {
    parse: (text) => {
      const value = /^\d{1,15}$/.test(text.trim()) ? Number(text) : Number.NaN
      return value >= min && value <= max ? value : undefined
    },
    format: String,
    expected,
    written: 'number',
  }
}
