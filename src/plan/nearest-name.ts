/** Longer names are compared by their beginning. */
const LENGTH_MAX = 64

/** The name that was probably meant, or undefined when none is near: at most a third of the letters differ. */
export function nearestName(wrong: string, names: Iterable<string>): string | undefined {
  const letters = comparable(wrong)
  let best: string | undefined
  let bestDistance = Math.max(1, Math.floor(letters.length / 3)) + 1
  for (const name of names) {
    const distance = editDistance(letters, comparable(name))
    if (distance >= bestDistance || distance === letters.length) continue
    best = name
    bestDistance = distance
  }
  return best
}

function comparable(name: string): string {
  return name.slice(0, LENGTH_MAX).toLowerCase()
}

/** A hint that names what was probably meant, else all there is. */
export function nameHint(wrong: string, names: readonly string[]): string {
  const nearest = nearestName(wrong, names)
  if (nearest !== undefined) return `did you mean "${nearest}"?`
  return names.length === 0 ? 'there is none to choose from' : `choose one of ${names.slice(0, 20).join(', ')}`
}

/** Insertions, deletions and replacements that turn one text into the other (Levenshtein). */
function editDistance(left: string, right: string): number {
  let row = Array.from({ length: right.length + 1 }, (_, index) => index)
  for (let i = 1; i <= left.length; i++) {
    const next = [i]
    for (let j = 1; j <= right.length; j++) {
      const replaced = (row[j - 1] as number) + (left[i - 1] === right[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, (row[j] as number) + 1, (next[j - 1] as number) + 1))
    }
    row = next
  }
  return row[right.length] as number
}
