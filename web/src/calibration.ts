import type { CalibrationBin } from '../../src/server/api.ts'

/** A dot of the calibration chart. All are probabilities. */
export interface CalibrationDot extends CalibrationBin {
  /** The true share of positives is in here, 19 times of 20. */
  readonly least: number
  readonly most: number
  /** What was said is not in there. */
  readonly off: boolean
}

/** Standard errors of 95 %. */
const Z = 1.96

/** The bins with what chance allows: the interval of E. B. Wilson, "Probable Inference" (1927). */
export function calibrationDots(bins: readonly CalibrationBin[]): CalibrationDot[] {
  return bins.map((bin) => {
    const { outcomes, predicted, observed } = bin
    const share = (Z * Z) / outcomes
    const middle = (observed + share / 2) / (1 + share)
    const half = (Z * Math.sqrt((observed * (1 - observed)) / outcomes + share / outcomes / 4)) / (1 + share)
    const [least, most] = [Math.max(0, middle - half), Math.min(1, middle + half)]
    return { ...bin, least, most, off: predicted < least || predicted > most }
  })
}

const ENDS = [0.01, 0.02, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 1]

/** Where the axes end: rare positives fill the picture as well as common ones. */
export function calibrationEnd(dots: readonly CalibrationDot[]): number {
  const highest = Math.max(...dots.flatMap(({ predicted, most }) => [predicted, most]), 0)
  return ENDS.find((end) => end >= highest) ?? 1
}
