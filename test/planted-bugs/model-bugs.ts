import type { PlantedBug } from './bugs.ts'

const LATEST = 'src/sinks/latest/latest-sink.test.ts'
const EXPORT = 'test/integration/model-export.test.ts'

/** Bugs in how models leave the job, and begin in another. */
export const MODEL_BUGS: readonly PlantedBug[] = [
  {
    name: 'an older text of a key goes over a newer one',
    file: 'src/sinks/latest/latest-sink.ts',
    edits: [edit('    if (mark && mark.epoch >= epoch) return\n', '')],
    caughtBy: LATEST,
  },
  {
    name: 'a process that was replaced still sets the newest text',
    file: 'src/sinks/latest/latest-sink.ts',
    edits: [
      edit('(mark.owner !== this.#owner || mark.fence !== this.#fence)', 'mark.owner !== this.#owner'),
      edit('    if (mark && mark.epoch >= epoch) return\n', ''),
    ],
    caughtBy: LATEST,
  },
  {
    name: 'old weights come back again and again though the world has changed',
    file: 'src/ml/guarded-model.ts',
    edits: [
      edit("verdict === 'worse' && this.#wentBack", "verdict === 'worse' && this.#wentBack && this.#outcomes < 0"),
    ],
    caughtBy: 'test/integration/model-drift.test.ts',
  },
  {
    name: 'a model begins anew though it has an export',
    file: 'src/engine/stages/predict-stage.ts',
    edits: [edit('if (node.startFrom) beginFrom(', 'if (node.startFrom && node.startFrom.version < 0) beginFrom(')],
    caughtBy: EXPORT,
  },
  {
    name: 'an export does not say how numbers are scaled',
    file: 'src/engine/predict/feature-reader.ts',
    edits: [edit("{ kind: 'number', name, slot, ...moments(slot) }", "{ kind: 'number', name, slot }")],
    caughtBy: EXPORT,
  },
]

function edit(find: string, replace: string): { readonly find: string; readonly replace: string } {
  return { find, replace }
}
