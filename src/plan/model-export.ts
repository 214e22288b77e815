import { MillraceError } from '../base/error.ts'

/** What `modelExport()` gives of a model, as JSON text; numbers in base64 are little-endian float64. */
export interface ModelExport {
  readonly format: 'millrace-model'
  readonly formatVersion: 1
  readonly model: string
  readonly role: 'champion' | 'challenger'
  readonly kind: 'logistic' | 'softmax'
  /** How often it has learned. */
  readonly version: number
  /** Event time up to which it has. */
  readonly asOf: string
  /** Of a model of several classes, in the order of `intercepts` and `weights`. */
  readonly classes: readonly string[] | null
  /** Where the features are among the weights. */
  readonly features: readonly ExportedFeature[]
  /** One, or one for each class. */
  readonly intercepts: readonly number[]
  /** Base64 of the weights, by slot; of several classes one after the other. */
  readonly weights: string
  /** Probability = sigmoid(slope x (log odds - excess) + shift); of several classes the softmax of the log odds. */
  readonly link: { readonly excess: number; readonly slope: number; readonly shift: number }
  /** What a model has to be like to go on from here. */
  readonly signature: string
  /** Base64 of everything that it needs to go on: texts that have weights, weights, scaler, optimizer. */
  readonly state: string
}

/** A feature of an export: the slot of its weight, or of its first. */
export type ExportedFeature =
  /** Scaled by (value - mean) / deviation first, where these are given. */
  | {
      readonly kind: 'number'
      readonly name: string
      readonly slot: number
      readonly mean?: number
      readonly deviation?: number
    }
  /** A slot for each value, in order; behind them, at `slot + size - 1`, the one for all others. */
  | {
      readonly kind: 'one-hot'
      readonly name: string
      readonly slot: number
      readonly size: number
      readonly values: readonly string[]
    }
  /** MurmurHash3 (32 bits, seed 0) of the text, modulo `buckets`; with `signed`, the highest bit of the hash makes the value -1. */
  | {
      readonly kind: 'hashed'
      readonly name: string
      readonly slot: number
      readonly buckets: number
      readonly signed: boolean
    }

/** What of an export a plan needs to begin with it. */
export interface StartSpec {
  readonly version: number
  readonly signature: string
  readonly state: string
}

/** Reads an export. Throws `invalid-plan` when the text is none. */
export function startSpec(text: string): StartSpec {
  let data: unknown
  try {
    data = JSON.parse(text)
  } catch (cause) {
    throw noExport('it is no JSON', cause)
  }
  if (typeof data !== 'object' || data === null) throw noExport('it is no object')
  const { format, formatVersion, version, signature, state } = data as Partial<Record<keyof ModelExport, unknown>>
  if (format !== 'millrace-model') throw noExport('its format is not "millrace-model"')
  if (formatVersion !== 1) throw noExport(`its formatVersion is ${formatVersion}, this program knows 1`)
  if (typeof version !== 'number' || typeof signature !== 'string' || typeof state !== 'string') {
    throw noExport('version, signature or state is missing')
  }
  return { version, signature, state }
}

function noExport(why: string, cause?: unknown): MillraceError {
  return new MillraceError('invalid-plan', `startFrom is not an export of a model: ${why}`, {
    hint: 'give it the text that modelExport() has written, such as that of a file of latestFile()',
    cause,
  })
}
