import { DEDUPE_BUGS } from './dedupe-bugs.ts'
import { JOB_BUGS } from './job-bugs.ts'
import { KAFKA_BUGS } from './kafka-bugs.ts'
import { MODEL_BUGS } from './model-bugs.ts'
import { edit, type PlantedBug } from './planted-bug.ts'
import { ROLLING_FILE_BUGS } from './rolling-file-bugs.ts'
import { SPARK_BUGS } from './spark-bugs.ts'

const SIMULATION = 'test/sim/job.test.ts'
const SINK_CONTRACT = 'src/sinks/contract.test.ts'
const CHECKPOINT = 'src/job/checkpoint.test.ts'
const FILE_SINK = 'src/sinks/file-sink.test.ts'
const WATERMARKS = 'test/timelines/watermark.test.ts'
const HOSTILE_METRICS = 'test/laws/hostile-metrics.test.ts'

/** Bugs that the tests must catch, every one. */
export const PLANTED_BUGS: readonly PlantedBug[] = [
  {
    name: 'nulls of equal rows differ in the bits of their NaN',
    file: 'src/job/result-hash.ts',
    edits: [
      edit('bytesOf(withOneNull(column.values.subarray(0, rowCount)))', 'bytesOf(column.values.subarray(0, rowCount))'),
    ],
    caughtBy: 'src/job/result-hash.test.ts',
  },
  {
    name: 'a result store is opened twice when two come at the same moment',
    file: 'src/sinks/duckdb/duckdb-store.ts',
    edits: [edit('    this.#opening ??= openLocked(', '    this.#opening = openLocked(')],
    caughtBy: 'src/sinks/duckdb/duckdb-store.test.ts',
  },
  {
    name: 'a new name is not synced',
    file: 'src/base/durable-file.ts',
    edits: [edit('    throw error\n  }\n  await syncDirectory(dirname(path), fileSystem)\n', '    throw error\n  }\n')],
    caughtBy: FILE_SINK,
  },
  {
    name: 'an epoch is committed before it is certain',
    file: 'src/job/epoch-commits.ts',
    edits: [
      edit(
        '    await this.#context.patiently(async () => checkpoint?.append(prepared))\n',
        '    await this.commit(plan, outputs)\n    await checkpoint?.append(prepared)\n',
      ),
    ],
    caughtBy: SIMULATION,
  },
  {
    name: 'the last certain epoch is not committed again after a crash',
    file: 'src/job/job.ts',
    edits: [edit('    if (recovery.last) await', '    if (recovery.last && recovery.again.length > 1) await')],
    caughtBy: SIMULATION,
  },
  {
    name: 'epoch numbers are used again',
    file: 'src/job/job.ts',
    edits: [edit('    this.#lastEpochNumber = recovery.lastEpochNumber\n', '')],
    caughtBy: SIMULATION,
  },
  {
    name: 'a partition that is only caught up counts as empty',
    file: 'src/job/partition-table.ts',
    edits: [
      edit('return end !== undefined && end === this.#starts[partition]', 'return end === this.positions[partition]'),
    ],
    caughtBy: SIMULATION,
  },
  {
    name: 'a record of the journal is not synced',
    file: 'src/job/journal.ts',
    edits: [edit('  await file.sync()\n', '')],
    caughtBy: SIMULATION,
  },
  {
    name: 'recovery acts upon a journal that is not on the disk yet',
    file: 'src/job/journal.ts',
    edits: [edit('    await syncFile(file, path)\n', '')],
    caughtBy: CHECKPOINT,
  },
  {
    name: 'a fence is given out again when its owner died early',
    file: 'src/job/journal.ts',
    edits: [edit('...names.map(fenceOf)', '...[...files.keys()].map(fenceOf)')],
    caughtBy: CHECKPOINT,
  },
  {
    name: 'letters of epochs that never became certain stay',
    file: 'src/job/dead-letter-file.ts',
    edits: [edit('      if (file.length > length) await file.truncate(length)\n', '')],
    caughtBy: SIMULATION,
  },
  {
    name: 'idle by time alone, though rows are waiting',
    file: 'src/job/idle-watch.ts',
    edits: [edit('const quiet = caughtUp && !movedTime', 'const quiet = !movedTime')],
    caughtBy: 'src/job/idle-watch.test.ts',
  },
  {
    name: 'a commit ends at the first file that is there already',
    file: 'src/sinks/file-sink.ts',
    edits: [
      edit(
        '      await this.#publish(epoch, file, to)\n',
        '      if (await readFileIfThere(to, this.#files)) return\n      await this.#publish(epoch, file, to)\n',
      ),
    ],
    caughtBy: FILE_SINK,
  },
  {
    name: 'the log lists an epoch before its files are there',
    file: 'src/sinks/file-sink.ts',
    edits: [
      edit(
        '    const touched = new Set<string>()\n',
        '    await this.#list(at, prepared, staged)\n    const touched = new Set<string>()\n',
      ),
    ],
    caughtBy: FILE_SINK,
  },
  {
    name: 'the hash of an epoch is not compared',
    file: 'src/sinks/file-sink.ts',
    edits: [edit('    if (entry.hash !== hash) throw otherRows(this.target, epoch)\n', '')],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'a stale process makes its staging folder anew',
    file: 'src/sinks/staging-area.ts',
    edits: [edit('await this.#fileSystem.mkdir(folder)', 'await createDirectory(folder, this.#fileSystem)')],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'a newer process leaves the staging of the older one in place',
    file: 'src/sinks/staging-area.ts',
    edits: [
      edit(
        'if (!isNumber(name) || Number(name) >= this.#fence) continue',
        'if (!isNumber(name) || Number(name) <= this.#fence) continue',
      ),
    ],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'the mark of a table moves in a transaction of its own',
    file: 'src/sinks/postgres/postgres-sink.ts',
    edits: [
      edit(
        '    await this.#session.transaction(async (client) => {\n      const table = this.#table\n',
        `    await this.#session.transaction(async (client) => {
      if (this.#table && !(await this.#done(client, at))) await writeRows(client, this.#table, rows, { pipeline: '', sink: '', epoch: 0 })
    })
    await this.#session.transaction(async (client) => {
      const table = this.#table
`,
      ),
      edit(
        '      await writeRows(client, table, rows, { pipeline: this.#context.pipeline, sink: this.name, epoch: at.epoch })\n',
        '',
      ),
    ],
    caughtBy: 'src/sinks/postgres/postgres-sink.test.ts',
  },
  {
    name: 'the hash of an epoch in a table is not compared',
    file: 'src/sinks/table-mark.ts',
    edits: [
      edit(
        "if (mark.hash === at.hash || mark.hash === '') return 'done'",
        "if (mark.epoch === at.epoch) return 'done'",
      ),
    ],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'a process that was replaced still commits to a table',
    file: 'src/sinks/table-mark.ts',
    edits: [edit('if (mark.owner !== self.owner || mark.fence !== self.fence)', 'if (mark.owner !== self.owner)')],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'epochs that a store has lost are passed over',
    file: 'src/sinks/table-mark.ts',
    edits: [edit('if (mark.epoch < at.previous) throw', 'if (mark.epoch < 0) throw')],
    caughtBy: 'src/sinks/duckdb/duckdb-sink.test.ts',
  },
  {
    name: 'outboxes go with the newest snapshot',
    file: 'src/job/job.ts',
    edits: [edit('sinks.forget(checkpoint.oldestSnapshotEpoch)', 'sinks.forget(this.#prepared)')],
    caughtBy: 'test/integration/postgres.test.ts',
  },
  {
    name: 'a folder that a newer process has moved away is the fault of the disk',
    file: 'src/sinks/staging-area.ts',
    edits: [edit('if (isMissing(error)) await this.assertOwned()', '')],
    caughtBy: 'src/sinks/stale-process.test.ts',
  },
  {
    name: 'a slash in a value leads to another folder',
    file: 'src/sinks/partition-path.ts',
    edits: [edit("'*/:", "'*:")],
    caughtBy: FILE_SINK,
  },
  {
    name: 'cells that are formulas go out as they are',
    file: 'src/batch/csv-encoder.ts',
    edits: [
      edit(
        'options.formulaGuard === false ? UNGUARDED : GUARDED',
        'options.formulaGuard !== true ? UNGUARDED : GUARDED',
      ),
    ],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'the fastest partition decides',
    file: 'src/engine/watermark.ts',
    edits: [
      edit('let lowestMs = Number.POSITIVE_INFINITY', 'let lowestMs = NEVER'),
      edit('if (timeMs < lowestMs)', 'if (timeMs > lowestMs)'),
    ],
    caughtBy: WATERMARKS,
  },
  {
    name: 'silent partitions hold nothing back',
    file: 'src/engine/watermark.ts',
    edits: [edit('if (timeMs === NEVER) silent.push(partition)', 'if (timeMs === NEVER) continue')],
    caughtBy: WATERMARKS,
  },
  {
    name: 'Spark mode closes an epoch too early',
    file: 'src/engine/watermark.ts',
    edits: [
      edit(
        'this.#closeMs = Math.max(this.#closeMs, before)',
        'this.#closeMs = Math.max(this.#closeMs, before, this.#largest() - this.#node.delayMs)',
      ),
    ],
    caughtBy: 'test/timelines/spark.test.ts',
  },
  {
    name: 'the watermark is forgotten at a restart',
    file: 'src/engine/watermark.ts',
    edits: [edit('this.#closeMs = readTime(reader)', 'reader.f64()')],
    caughtBy: 'test/timelines/tumbling.test.ts',
  },
  {
    name: 'a pane never leaves the sliding window',
    file: 'src/engine/operators/running-window.ts',
    edits: [edit('if (!wanted.has(pane)) this.#leave(pane)', 'if (wanted.size === 0) this.#leave(pane)')],
    caughtBy: 'test/timelines/sliding.test.ts',
  },
  {
    name: 'a window whose end the watermark has just reached still takes rows',
    file: 'src/engine/windows/window-grid.ts',
    edits: [edit('slideOf(watermarkMs - sizeMs) + slideMs', 'slideOf(watermarkMs - sizeMs)')],
    caughtBy: 'test/timelines/sliding.test.ts',
  },
  {
    name: 'two sessions become one, and the events of the second are forgotten',
    file: 'src/engine/operators/session-folds.ts',
    edits: [edit('      state.fold(state, gone, this.#to, this.#count)\n', '')],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'what was closed early can be opened again',
    file: 'src/engine/operators/session-aggregate.ts',
    edits: [edit('this.#table.inMark(keyId, timeMs) || this.#heard', 'this.#heard')],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'workers are not told what others have closed early',
    file: 'src/job/parallel-runner.ts',
    edits: [edit('held.flatMap((one) => one[query]?.marks ?? [])', '[]')],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'after a restart workers are not told what was closed early before it',
    file: 'src/job/parallel-runner.ts',
    edits: [edit('this.#note(held)', 'this.#note(held.map((all) => all.map((one) => ({ ...one, marks: [] }))))')],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'what lies behind a null comes along, and another run has something else there',
    file: 'src/engine/select/column-collector.ts',
    edits: [edit('valid === 0 ? 0 : ', '')],
    caughtBy: 'src/engine/select/column-collector.test.ts',
  },
  {
    name: 'a session closes though another worker has more of it',
    file: 'src/job/parallel-runner.ts',
    edits: [edit('others.flatMap((one) => one[query] ?? [])', 'others.slice(others.length).flat()')],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'nobody looks for sessions that are too long together with what others have of them',
    file: 'src/engine/operators/session-table.ts',
    edits: [edit('return due.concat(old)', 'return due')],
    caughtBy: 'test/laws/shards.test.ts',
  },
  {
    name: 'a sliding window is not told of groups that came from another worker',
    file: 'src/engine/operators/window-aggregate.ts',
    edits: [edit('(this.#running?.has(startMs) ? arrived : this.#panes)', 'this.#panes')],
    caughtBy: 'test/laws/shards.test.ts',
  },
  {
    name: 'rows that fill the budget wait for the trigger',
    file: 'src/job/job.ts',
    edits: [edit('Promise.race([sleep, this.#prefetcher.changed()])', 'sleep')],
    caughtBy: 'src/job/waiting.test.ts',
  },
  {
    name: 'the groups that one worker has for another get lost',
    file: 'src/job/parallel-runner.ts',
    edits: [edit('given.map((parts) => parts', 'given.slice(0, owner + 1).map((parts) => parts')],
    caughtBy: 'test/timelines/tumbling.test.ts',
  },
  {
    name: 'rows that the skew guard refuses move time',
    file: 'src/engine/stages/watermark-stage.ts',
    edits: [edit('newestOf(times, timely.rows, timely.count)', 'newestOf(times, input.rows, input.count)')],
    caughtBy: WATERMARKS,
  },
  {
    name: 'features see what comes after the event',
    file: 'src/engine/stages/features-stage.ts',
    edits: [edit('this.#held.take(this.#releasedUpTo(closeWatermarkMs))', 'this.#held.take(Number.POSITIVE_INFINITY)')],
    caughtBy: 'test/timelines/rows.test.ts',
  },
  {
    name: 'workers show again what was shown before a restart',
    file: 'src/engine/worker-engine.ts',
    edits: [edit('output.operator.restore(new', 'output.operator.merge(new')],
    caughtBy: 'test/timelines/tumbling.test.ts',
  },
  {
    name: "Spark's complete mode forgets closed windows",
    file: 'src/engine/stages/stage-tree.ts',
    edits: [edit('keepsClosed: spark && query', 'keepsClosed: !spark && query')],
    caughtBy: 'test/timelines/spark.test.ts',
  },
  {
    name: 'an event exactly one gap later begins a session of its own',
    file: 'src/engine/operators/session-table.ts',
    edits: [
      edit('timeMs - lastMs > gapMs', 'timeMs - lastMs >= gapMs'),
      edit('this.lastMs(slot) + this.gapMs >= startMs', 'this.lastMs(slot) + this.gapMs > startMs'),
    ],
    caughtBy: 'test/timelines/session.test.ts',
  },
  {
    name: 'features never let go of the values that they count',
    file: 'src/engine/features/session-features.ts',
    edits: [edit('      aggregator.forget?.(panes', '      if (index < 0) aggregator.forget?.(panes')],
    caughtBy: 'test/laws/crowds.test.ts',
  },
  {
    name: 'keys of closed windows stay in the features',
    file: 'src/engine/features/session-features.ts',
    edits: [
      edit(
        '<= closeWatermarkMs) this.#panes.delete(startMs)',
        '< Number.NEGATIVE_INFINITY) this.#panes.delete(startMs)',
      ),
    ],
    caughtBy: 'src/engine/features/session-features.test.ts',
  },
  {
    name: 'the last millisecond of an attempt does not belong to it',
    file: 'src/engine/funnel/attempts.ts',
    edits: [edit('return timeMs <= startMs + this', 'return timeMs < startMs + this')],
    caughtBy: 'test/timelines/funnel.test.ts',
  },
  {
    name: 'a crash forgets that an attempt goes on',
    file: 'src/engine/funnel/attempts.ts',
    edits: [edit('if (goesOn && count < steps) this', 'if (goesOn && count < 0) this')],
    caughtBy: 'test/laws/funnel.test.ts',
  },
  {
    name: 'time stands still for rows that wait for it',
    file: 'src/job/job.ts',
    edits: [edit('waitingRows > 0 || ', 'waitingRows < 0 || ')],
    caughtBy: 'src/job/waiting.test.ts',
  },
  {
    name: 'a table that names its columns gets the first ones of the query',
    file: 'src/sinks/table-layout.ts',
    edits: [edit('columns.map(({ field }) => fields.indexOf(field))', 'columns.map((_, index) => index)')],
    caughtBy: 'src/sinks/postgres/postgres-sink.test.ts',
  },
  {
    name: 'metrics call a silent partition active',
    file: 'src/server/job-metrics.ts',
    edits: [edit('sample([id], idleSinceMs === null ? 0 : 1)', 'sample([id], idleSinceMs === null ? 0 : 0)')],
    caughtBy: HOSTILE_METRICS,
  },
  {
    name: 'a silent partition is never idle',
    file: 'src/job/idle-watch.ts',
    edits: [edit('if (due && !this.#flagged', 'if (due && watermark < 0 && !this.#flagged')],
    caughtBy: HOSTILE_METRICS,
  },
  {
    name: 'what a later journal has read of an earlier one is not compared',
    file: 'src/job/journal.ts',
    edits: [edit('file.length < limit)', 'file.length < 0)')],
    caughtBy: CHECKPOINT,
  },
  {
    name: 'a journal that has fallen silent counts as removed',
    file: 'src/job/journal.ts',
    edits: [edit('if (after && !files.has(after.name) && names.includes(after.name))', 'if (false)')],
    caughtBy: CHECKPOINT,
  },
  {
    name: 'epochs that the journals lack are not missed',
    file: 'src/job/recovery.ts',
    edits: [edit('if (plan.previous !== before)', 'if (false)')],
    caughtBy: 'src/job/recovery.test.ts',
  },
  {
    name: 'an epoch without rows is committed by a stale process',
    file: 'src/sinks/file-sink.ts',
    edits: [
      edit(
        'if (prepared.files.length === 0) return this.#staging.assertOwned()',
        'if (prepared.files.length === 0) return',
      ),
    ],
    caughtBy: SINK_CONTRACT,
  },
  {
    name: 'a sink that gives up leaves the others trying',
    file: 'src/job/retry.ts',
    edits: [edit('          failures.push(error)\n          stop()\n', '          failures.push(error)\n')],
    caughtBy: 'src/job/sink-group.test.ts',
  },
  {
    name: 'the checksum of an entry of the log of an output is not compared',
    file: 'src/sinks/output-log.ts',
    edits: [
      edit(
        'if (crc32c(encodeText(JSON.stringify(entry))) !== crc || entry.epoch !== epoch)',
        'if (entry.epoch !== epoch)',
      ),
    ],
    caughtBy: 'src/sinks/output-log.test.ts',
  },
  {
    name: 'whoever lost a checkpoint goes on keeping snapshots',
    file: 'src/job/checkpoint.ts',
    edits: [edit('    await this.assertOwned()\n    const epoch', '    const epoch')],
    caughtBy: CHECKPOINT,
  },
  ...DEDUPE_BUGS,
  ...JOB_BUGS,
  ...KAFKA_BUGS,
  ...MODEL_BUGS,
  ...ROLLING_FILE_BUGS,
  ...SPARK_BUGS,
]
