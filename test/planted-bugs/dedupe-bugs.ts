import { edit, type PlantedBug } from './planted-bug.ts'

/** Bugs in what drops repeats. */
export const DEDUPE_BUGS: readonly PlantedBug[] = [
  {
    name: 'a dedupe forgets as soon as the watermark has passed',
    file: 'src/engine/stages/dedupe-stage.ts',
    edits: [
      edit('watermark.closeWatermarkMs - node.withinMs', 'watermark.closeWatermarkMs'),
      edit('table.forget(watermark.lateWatermarkMs - node.withinMs)', 'table.forget(watermark.lateWatermarkMs)'),
    ],
    caughtBy: 'test/timelines/rows.test.ts',
  },
  {
    name: 'what was seen in one partition is a repeat in another',
    file: 'src/engine/stages/dedupe-stage.ts',
    edits: [edit("this.#options.node.scope === 'partition' ? partition : 0", '0')],
    caughtBy: 'test/timelines/rows.test.ts',
  },
  {
    name: 'a worker goes on without the ids that it had seen before a restart',
    file: 'src/engine/worker-engine.ts',
    edits: [edit('if (table.length > 0)', 'if (table.length > 1e9)')],
    caughtBy: 'test/timelines/rows.test.ts',
  },
]
