import type { Command } from 'commander'
import { MillraceError } from '../base/error.ts'
import { PRESETS } from '../pipelines/index.ts'
import type { Preset, PresetSettings } from '../pipelines/preset.ts'
import { assertPlan } from '../plan/check.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { namesPostgres } from '../sinks/postgres/postgres-target.ts'
import { settingOption } from './config/apply.ts'
import { formatSetting } from './config/setting-value.ts'
import { type SettingName, settingNamed } from './config/settings.ts'
import { loadPipeline } from './load-pipeline.ts'

/** What the options below were set to, by the names that commander gives them. */
export interface PresetOptions {
  readonly preset?: string
  readonly profile?: string
  readonly pageWindow?: number
  readonly geoWindow?: number
  readonly sessionWindow?: number
  readonly model?: string
  readonly topic?: string
  readonly output?: string
  readonly bootstrapServers?: string
  readonly postgres?: 'embedded'
}

/** Adds the options that choose a preset and change its pipeline to a command, which has those for topic and output itself. */
export function addPresetOptions(command: Command): Command {
  for (const name of ['preset', 'profile', ...OF_PRESETS] as const) command.addOption(settingOption(name))
  return command
}

/** The preset that the options name, if they name one. */
export function presetOf({ preset }: PresetOptions): Preset | undefined {
  return preset === undefined ? undefined : PRESETS.get(preset)
}

/** The words of a command line behind `run`: a pipeline and a topic, or of a preset the topic alone. */
export interface PipelineWords {
  readonly path: string | undefined
  readonly topic: string | undefined
}

/** Tells a topic from a pipeline; throws `invalid-option` when there are too many or too few of them. */
export function pipelineWords({ preset }: PresetOptions, words: readonly (string | undefined)[]): PipelineWords {
  const [first, second] = words
  if (preset === undefined) {
    if (first !== undefined) return { path: first, topic: second }
    throw new MillraceError('invalid-option', 'there is nothing to run: no pipeline and no preset', {
      hint: `name a pipeline file, or one of the presets with --preset: ${[...PRESETS.keys()].join(', ')}`,
    })
  }
  if (second === undefined && !/\.(ts|js|mjs|json)$/.test(first ?? '')) return { path: undefined, topic: first }
  throw new MillraceError('invalid-option', `there are two pipelines: "${first}" and the preset "${preset}"`, {
    hint: 'leave one of them out; a preset may be named by --preset, MILLRACE_PRESET or millrace.yaml',
  })
}

/** The pipeline of a file or of a preset, checked. */
export async function choosePipeline(path: string | undefined, options: PresetOptions): Promise<PipelinePlan> {
  const preset = presetOf(options)
  if (!preset) return loadPipeline(path ?? '')
  const plan = preset.build(presetChanges(options), {
    postgres: options.postgres !== undefined || namesPostgres(process.env),
    kafka: options.bootstrapServers !== undefined,
  })
  assertPlan(plan)
  return plan
}

/** What the options say of a preset's settings, written as its own are. */
export function presetChanges(options: PresetOptions): Partial<PresetSettings> {
  const { topic, output, pageWindow, geoWindow, sessionWindow, model } = options
  return {
    ...written('topic', topic),
    ...written('output', output),
    ...written('page-window', pageWindow),
    ...written('geo-window', geoWindow),
    ...written('session-window', sessionWindow),
    ...written('model', model),
  }
}

const OF_PRESETS = ['page-window', 'geo-window', 'session-window', 'model'] as const

function written(name: SettingName, value: string | number | undefined): Partial<PresetSettings> {
  const setting = settingNamed(name)
  return value === undefined || !setting ? {} : { [name]: formatSetting(setting, value) }
}
