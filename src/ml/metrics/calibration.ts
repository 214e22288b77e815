/** What was said beside what came, over outcomes that were rated alike. */
export interface CalibrationBin {
  readonly outcomes: number
  /** Mean of what was said. */
  readonly predicted: number
  /** Share of positives. */
  readonly observed: number
}

const BINS = 10

/** Mean distance of what was said from what came, over ten equal bins of what was said, by their share of the outcomes. */
export function calibrationError(probabilities: Float64Array, labels: Uint8Array): number {
  const gaps = new Float64Array(BINS)
  for (const [index, probability] of probabilities.entries()) {
    const bin = Math.min(BINS - 1, Math.floor(probability * BINS))
    gaps[bin] = (gaps[bin] as number) + probability - (labels[index] as number)
  }
  return gaps.reduce((sum, gap) => sum + Math.abs(gap), 0) / probabilities.length
}

/**
 * The outcomes in the order of what was said, cut into ten parts of the same size, so that rare positives, of which everything said is
 * small, fill ten bins as well. What was said alike is never parted, so there may be fewer. K. Nguyen, B. O'Connor, "Posterior calibration
 * and exploratory analysis for natural language processing models" (2015).
 */
export function calibrationBins(
  probabilities: Float64Array,
  labels: Uint8Array,
  order: Int32Array,
): readonly CalibrationBin[] {
  const bins: CalibrationBin[] = []
  for (let begin = 0; begin < order.length; ) {
    let end = Math.ceil(((Math.floor((begin * BINS) / order.length) + 1) * order.length) / BINS)
    while (end < order.length && said(end) === said(end - 1)) end++
    let [sum, positives] = [0, 0]
    for (let place = begin; place < end; place++) {
      sum += said(place)
      positives += labels[order[place] as number] as number
    }
    const outcomes = end - begin
    bins.push({ outcomes, predicted: sum / outcomes, observed: positives / outcomes })
    begin = end
  }
  return bins

  function said(place: number): number {
    return probabilities[order[place] as number] as number
  }
}
