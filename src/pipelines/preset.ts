import type { Dialect, Duration, FieldSpecs, Pipeline } from '../index.ts'

/**
 * A pipeline that Millrace brings, for whoever comes from the system that it stands for: their names, their defaults. The name
 * is also that of its dialect and of the generator's profile.
 */
export interface Preset {
  readonly name: string
  /** One line for lists. */
  readonly description: string
  readonly dialect: Dialect<FieldSpecs>
  /** What holds unless somebody says otherwise. */
  readonly settings: PresetSettings
  /** Settings that go together, for other purposes than trying it out. */
  readonly profiles: Readonly<Record<string, Partial<PresetSettings>>>
  /** The pipeline, with some of the settings changed; it writes to the servers that there are as well. */
  build(changes?: Partial<PresetSettings>, servers?: Servers): Pipeline
}

/** Servers that somebody has configured. What a preset's system wrote to such a server, the preset then writes there too. */
export interface Servers {
  readonly postgres?: boolean
  readonly kafka?: boolean
}

/** Settings of a preset by the names of flags, written as flags are. */
export interface PresetSettings {
  readonly topic: string
  /** `earliest` or `latest`. */
  readonly from: string
  /** How long each query waits for stragglers. */
  readonly 'watermark-delay': Duration
  /** Least time between epochs. */
  readonly trigger: Duration
  /** Folder that has a folder for each output. */
  readonly output: string
  /** Events per second that the generator writes; without it as many as it can. */
  readonly rate?: string
  readonly 'page-window'?: Duration
  readonly 'geo-window'?: Duration
  /** The inactivity that ends a session. */
  readonly 'session-window'?: Duration
  /** `honest` learns from the past what comes; `compat` as the source system did. */
  readonly model?: 'honest' | 'compat'
}
