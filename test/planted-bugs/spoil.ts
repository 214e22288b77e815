import { assert } from '../../src/base/assert.ts'
import type { PlantedBug } from './planted-bug.ts'

/** The text of a source file with a bug in it; each edit must fit in exactly one place. */
export function spoil(source: string, bug: PlantedBug): string {
  return bug.edits.reduce((text, { find, replace }) => {
    const parts = text.split(find)
    assert(parts.length === 2, `"${bug.name}": ${parts.length - 1} places in ${bug.file} for ${JSON.stringify(find)}`)
    return parts.join(replace)
  }, source)
}
