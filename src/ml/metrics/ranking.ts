/** What the order of scores is worth. */
export interface Ranking {
  /** Probability that a positive has a higher score than a negative, ties half; NaN without both. */
  readonly auc: number
  /** Share of positives among the highest scores. */
  readonly precisionAtTop: number
}

/** Places of the scores, the lowest first. */
export function ascending(scores: Float64Array): Int32Array {
  return Int32Array.from(scores.keys()).sort((left, right) => at(scores, left) - at(scores, right))
}

/**
 * Exact area under the ROC curve by the sum of ranks (Mann and Whitney, 1947), and precision among the highest `top` of scores. Where
 * equal scores lie on both sides of that limit, each counts for its share. `order` has the places of the scores, the lowest first.
 */
export function rankingOf(
  scores: Float64Array,
  labels: Uint8Array,
  top: number,
  order: Int32Array = ascending(scores),
): Ranking {
  const count = order.length
  const topFrom = count - top
  let positives = 0
  let rankSum = 0
  let hits = 0
  for (let begin = 0; begin < count; ) {
    let end = begin
    let tied = 0
    const score = at(scores, order[begin] as number)
    while (end < count && at(scores, order[end] as number) === score) tied += labels[order[end++] as number] as number
    positives += tied
    rankSum += (tied * (begin + 1 + end)) / 2
    const inTop = Math.max(0, end - Math.max(begin, topFrom))
    hits += (tied * inTop) / (end - begin)
    begin = end
  }
  const negatives = count - positives
  const above = rankSum - (positives * (positives + 1)) / 2
  return { auc: above / (positives * negatives), precisionAtTop: hits / top }
}

function at(scores: Float64Array, index: number): number {
  return scores[index] as number
}
