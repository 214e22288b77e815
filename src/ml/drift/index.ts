import { unreachable } from '../../base/assert.ts'
import { Adwin, type AdwinOptions } from './adwin.ts'
import { Ddm, type DdmOptions } from './ddm.ts'
import type { DriftDetector } from './detector.ts'
import { Eddm, type EddmOptions } from './eddm.ts'
import { HddmA, type HddmOptions } from './hddm-a.ts'
import { HddmW, type HddmWOptions } from './hddm-w.ts'
import { Kswin, type KswinOptions } from './kswin.ts'
import { PageHinkley, type PageHinkleyOptions } from './page-hinkley.ts'

/** A detector with its parameters. */
export type DriftOptions =
  | ({ readonly kind: 'adwin' } & AdwinOptions)
  | ({ readonly kind: 'page-hinkley' } & PageHinkleyOptions)
  | ({ readonly kind: 'ddm' } & DdmOptions)
  | ({ readonly kind: 'eddm' } & EddmOptions)
  | ({ readonly kind: 'hddm-a' } & HddmOptions)
  | ({ readonly kind: 'hddm-w' } & HddmWOptions)
  | ({ readonly kind: 'kswin' } & KswinOptions)

/** Whether a detector takes errors (0 or 1) rather than any numbers. */
export function watchesErrors(kind: DriftOptions['kind']): boolean {
  return kind === 'ddm' || kind === 'eddm' || kind === 'hddm-a' || kind === 'hddm-w'
}

/** A new detector. */
export function createDetector(options: DriftOptions): DriftDetector {
  switch (options.kind) {
    case 'adwin':
      return new Adwin(options)
    case 'page-hinkley':
      return new PageHinkley(options)
    case 'ddm':
      return new Ddm(options)
    case 'eddm':
      return new Eddm(options)
    case 'hddm-a':
      return new HddmA(options)
    case 'hddm-w':
      return new HddmW(options)
    case 'kswin':
      return new Kswin(options)
    default:
      return unreachable(options)
  }
}
