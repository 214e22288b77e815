import { edit, type PlantedBug } from './planted-bug.ts'

const LATEST = 'src/sinks/latest/latest-sink.test.ts'
const JOBS = 'test/laws/predict-job.test.ts'
const EXPORT = 'test/integration/model-export.test.ts'

/** Bugs in how models learn and are watched, how they leave the job, and begin in another. */
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
    name: 'Redis sets a text though somebody else has moved the mark',
    file: 'src/sinks/latest/redis-store.ts',
    edits: [edit("if (mark or '') ~= ARGV[1] then return 0 end\n", '')],
    caughtBy: LATEST,
  },
  {
    name: 'files are set though somebody else has moved the mark',
    file: 'src/sinks/latest/file-store.ts',
    edits: [edit('    if (JSON.stringify(await this.mark()) !== JSON.stringify(from)) return false\n', '')],
    caughtBy: LATEST,
  },
  {
    name: 'a plan with a model is dealt out to several workers',
    file: 'src/job/one-thread.ts',
    edits: [edit(" || step.kind === 'predict'", '')],
    caughtBy: JOBS,
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
  {
    name: 'scores of several classes that are too large for a power make probabilities no numbers',
    file: 'src/ml/softmax-regression.ts',
    edits: [edit('Math.exp(one.score - largest)', 'Math.exp(one.score)')],
    caughtBy: 'src/ml/poison-classes.test.ts',
  },
  {
    name: 'a loss that is no number is given to the drift detector',
    file: 'src/ml/guarded-model.ts',
    edits: [edit('if (Number.isNaN(loss)) {', 'if (Number.isNaN(loss) && this.#outcomes < 0) {')],
    caughtBy: 'src/ml/guarded-model.test.ts',
  },
  {
    name: 'texts that share a slot are not counted',
    file: 'src/engine/predict/feature-reader.ts',
    edits: [edit('if (slot === feature.oneHot.size - 1) this.#sharedTexts++\n', '')],
    caughtBy: 'src/engine/predict/poison.test.ts',
  },
  {
    name: 'weights go back for promises that a handful of outcomes did not keep',
    file: 'src/ml/calibration-judge.ts',
    edits: [edit('const SURE = 2', 'const SURE = 0')],
    caughtBy: 'src/ml/guarded-model.test.ts',
  },
  {
    name: 'weights whose promises do not come true go back again and again',
    file: 'src/ml/guarded-model.ts',
    edits: [edit('!promises && !this.#wentBack', '!promises')],
    caughtBy: 'src/ml/guarded-model.test.ts',
  },
  {
    name: 'who goes on has forgotten which challenger was promoted',
    file: 'src/ml/contest.ts',
    edits: [edit('this.#champion = reader.varint()', 'reader.varint()')],
    caughtBy: JOBS,
  },
  {
    name: 'what has happened to a model is forgotten by who goes on',
    file: 'src/engine/stages/predict-stage.ts',
    edits: [edit('    this.#events.restore(reader)\n', '    new RecentEvents().restore(reader)\n')],
    caughtBy: 'src/engine/stages/predict-stage.test.ts',
  },
  {
    name: 'a bin of calibration begins in the middle of what was said alike',
    file: 'src/ml/metrics/calibration.ts',
    edits: [edit('while (end < order.length && said(end) === said(end - 1)) end++', '')],
    caughtBy: 'src/ml/metrics/calibration.test.ts',
  },
  {
    name: 'events stand at the end of a history instead of where they happened',
    file: 'web/src/model-history.ts',
    edits: [edit('place: (event.version - first) / (last - first)', 'place: 1')],
    caughtBy: 'web/src/model-history.test.ts',
  },
  {
    name: 'two texts become one in a checkpoint',
    file: 'src/base/bytes.ts',
    edits: [edit('{ fatal: true, ignoreBOM: true }', '{ fatal: true }')],
    caughtBy: 'src/ml/one-hot.test.ts',
  },
  {
    name: 'weights answer for what others have said',
    file: 'src/ml/guarded-model.ts',
    edits: [
      edit(
        '    this.#judge.reset()\n    this.#calibration.reset()\n    this.#current.continueFrom',
        '    this.#current.continueFrom',
      ),
    ],
    caughtBy: 'src/ml/guarded-model.test.ts',
  },
]
