/**
 * Timelines: what happens and what is expected of it, as a table.
 *
 *     timeline('a straggler inside the delay counts', pageViewsPerMinute, `
 *       00:00:05  /home                                    event time, then the columns of the schema in order
 *       00:01:10  /cart    -> [00:00, 00:01) /home 1       rows that come out, in any order
 *       00:00:59  /home    -> late                         a fate that is not accepted, with its rule: invalid page-required
 *                          -> watermark 00:01:10           where the watermark stands after the line
 *       partition 1                                        the next events come from there
 *       idle 0             -> ...                          partition 0 is flagged idle; `ended 0` likewise
 *       clock 00:05        -> ...                          the plan's clock from now on
 *       raw {"not JSON     -> malformed not JSON
 *       epoch              -> ...                          cut here; a text with such lines is cut nowhere else
 *       end                -> ...                          the input ends, every window closes
 *     `)
 *
 * Sessions are written `[first event, last event] duration_ms ...`, rows without a window `row ...`. Hours go on: `2087:00` is in March.
 *
 * With several queries, rows are expected as `query: [00:00, 00:01) ...` and lateness for one of them as `query: late`.
 */
import { test } from 'node:test'
import type { EpochResults, IdleFlag } from '../../../src/engine/epoch.ts'
import { type OutputMode, type Pipeline, pipeline, type Query } from '../../../src/index.ts'
import { needsOneThread } from '../../../src/job/one-thread.ts'
import { queryChain } from '../../../src/plan/query-chain.ts'
import { EngineBench } from './engine-bench.ts'
import { cutIntoEpochs, type ScriptEpoch, type ScriptRow, usesPartitions } from './epochs.ts'
import { expectedFate, expectedOf, observed } from './observation.ts'
import { parseScript, type Script } from './script.ts'

/** Tests a table in every way of running it that must not make a difference. */
export function timeline(
  name: string,
  plan: Pipeline | Query,
  text: string,
  options: { readonly mode?: OutputMode } = {},
): void {
  test(name, () => playEveryWay(plan, text, options.mode ?? 'append'))
}

/** What `timeline` does in its test: throws an error that shows the table where something else was seen. */
export async function playEveryWay(plan: Pipeline | Query, text: string, mode: OutputMode): Promise<void> {
  const script = parseScript(text)
  const whole = 'queries' in plan ? plan : pipeline('timeline').query('q', plan)
  for (const way of waysFor(whole, script, mode)) await play(whole, script, mode, way)
}

/** One way of running a timeline. */
interface Way {
  readonly rowsPerEpoch: number
  readonly partitions: number
  readonly restart: boolean
  readonly parallelism: number
}

const PARALLELISM = [1, 2]
const PARTITIONS_MAX = 4

/** A dedupe sees the rows of an epoch in order, in one thread. Where the text cuts epochs or names partitions itself, or a mode shows what every epoch changed, there is less to vary. */
function waysFor(plan: Pipeline, script: Script, mode: OutputMode): Way[] {
  const marked = script.some(({ step }) => step.kind === 'epoch')
  const sizes = marked || mode !== 'append' ? [1] : [1, 2, 1_000]
  const partitionCounts = usesPartitions(script) ? [PARTITIONS_MAX] : [1, 2, PARTITIONS_MAX]
  return PARALLELISM.filter((parallelism) => parallelism === 1 || !needsOneThread(plan)).flatMap((parallelism) =>
    sizes.flatMap((rowsPerEpoch) =>
      partitionCounts
        .filter((partitions) => partitions >= parallelism)
        .flatMap((partitions) =>
          [false, true].map((restart): Way => ({ rowsPerEpoch, partitions, restart, parallelism })),
        ),
    ),
  )
}

/** The first of repeats wins, so rows have to come as they are in their partition. */
function dropsRepeats(plan: Pipeline): boolean {
  return plan.queries.some(({ root }) => queryChain(root).stepsAfter.some(({ kind }) => kind === 'dedupe'))
}

async function play(plan: Pipeline, script: Script, mode: OutputMode, way: Way): Promise<void> {
  const source = plan.queries[0] && queryChain(plan.queries[0].root).source
  const fields = source?.schema.fields ?? []
  const explicit = usesPartitions(script)
  const partitions = explicit ? partitionsNamed(script) : way.partitions
  const bench = new EngineBench(plan, {
    ...way,
    partitions,
    modes: [mode],
    rowByRow: way.restart && !needsOneThread(plan) && !dropsRepeats(plan),
  })
  const epochs = cutIntoEpochs(script, fields, way.rowsPerEpoch, (epoch) => epoch % partitions)
  let active: ReadonlySet<number> = new Set()
  for (const [index, epoch] of epochs.entries()) {
    if (epoch.rows.length > 0) active = new Set(epoch.rows.map((row) => row.partition))
    if (way.restart && index > 0) await bench.restart()
    const own = range(partitions).map((partition) => epoch.rows.filter((row) => row.partition === partition))
    const starts = range(partitions).map((partition) => bench.position(partition))
    const results = await bench.run({
      ...epoch,
      lines: own.map((rows) => rows.map(({ json }) => json)),
      idle: idleFlags(explicit ? epoch.idle : others(active, partitions, epoch), bench.engine.watermarkIds.length),
    })
    const { engine } = bench
    const watermarks = new Map(
      engine.watermarkIds.map((id, at) => [id, results.watermarks[at]?.closeWatermarkMs ?? Number.NaN]),
    )
    const seen = observed(epoch, results, engine.queries, mode, watermarks)
    const expected = expectedOf(epoch)
    const misjudged = misjudgedRows(own, starts, results)
    if (JSON.stringify(seen) !== JSON.stringify(expected) || misjudged.length > 0) {
      throw new Error(table(script, epoch, way, expected, [...seen, ...misjudged]))
    }
  }
}

function idleFlags(flags: ReadonlyMap<number, number>, watermarks: number): IdleFlag[] {
  return range(watermarks).flatMap((watermark) =>
    [...flags].map(([partition, sinceMs]) => ({ watermark, partition, sinceMs })),
  )
}

/** Where the text does not speak of partitions, one of them gives the rows of an epoch and the others keep out of it. */
function others(active: ReadonlySet<number>, partitions: number, { clockMs }: ScriptEpoch): Map<number, number> {
  return new Map(range(partitions).flatMap((one) => (active.has(one) ? [] : [[one, clockMs] as const])))
}

/** Dead letters name the very rows that were expected to leave one. */
function misjudgedRows(
  own: readonly (readonly ScriptRow[])[],
  starts: readonly number[],
  results: EpochResults,
): string[] {
  const fates = new Map(results.deadLetters.map((one) => [`${one.partition} ${one.offset}`, one.fate]))
  return own.flatMap((rows, partition) =>
    rows.flatMap(({ line }, index) => {
      const fate = fates.get(`${partition} ${(starts[partition] as number) + index}`) ?? 'accepted'
      const expected = expectedFate(line.expected).split(' ')[0]
      return fate === expected || expected === 'filtered' ? [] : [`"${line.text}" is ${fate}`]
    }),
  )
}

function partitionsNamed(script: Script): number {
  return 1 + Math.max(...script.map(({ step }) => ('partition' in step ? step.partition : 0)))
}

/** The timeline as it was written, with what was seen at the place where that differs. */
function table(
  script: Script,
  epoch: ScriptEpoch,
  way: Way,
  expected: readonly string[],
  seen: readonly string[],
): string {
  const { rowsPerEpoch, partitions, restart, parallelism } = way
  const how = `epochs of ${rowsPerEpoch}, ${partitions} partitions, parallelism ${parallelism}${restart ? ', restarted after each epoch' : ''}`
  const last = epoch.lines.at(-1)
  const lines = script.flatMap((line) => {
    const mark = epoch.lines.includes(line) ? '>' : ' '
    const shown = [
      `${mark} ${[line.text.padEnd(28), ...line.expected.map((text) => `-> ${text}`)].join(' ').trimEnd()}`,
    ]
    if (line !== last) return shown
    return [...shown, ...differences('expected', expected, seen), ...differences('seen    ', seen, expected)]
  })
  return `${how}\n${lines.join('\n')}`
}

function differences(label: string, left: readonly string[], right: readonly string[]): string[] {
  const rest = [...right]
  return left.flatMap((text) => {
    const at = rest.indexOf(text)
    if (at >= 0) rest.splice(at, 1)
    return at >= 0 ? [] : [`      ${label}  ${text}`]
  })
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index)
}
