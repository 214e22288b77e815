import { cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { encodeText } from '../../src/base/bytes.ts'
import { nodeFileSystem } from '../../src/base/file-system.ts'
import { readSnapshot, SNAPSHOT_NAME } from '../../src/job/snapshot-file.ts'
import { openEmbeddedLog } from '../../src/log/embedded-log.ts'
import { RecordBatchBuilder } from '../../src/log/record-batch-builder.ts'
import { logEpochs, readLogEntry } from '../../src/sinks/output-log.ts'
import { shopClicks } from '../support/shop-clicks.ts'
import { type JobProcess, startRun } from './scene.ts'
import type { ChaosOptions } from './suite.ts'

/** Its detectors raise alarms, one challenger is promoted, and another goes back to older weights: all within some thousand clicks. */
const PIPELINE = `
import { adaGrad, adam, adwin, clickEvent, count, hashed, jsonLines, kswin, latestFile, logisticRegression, logSource, oneHot, pageHinkley, pipeline, purchaseWithin, sgd, stream, tumbling } from 'millrace'

const predicted = stream(logSource('clickstream'), clickEvent)
  .withWatermark('event_time', '30s', { maxClockSkew: null, idleTimeout: '1h' })
  .withSessionFeatures({ by: 'session_id', window: tumbling('1 hour'), features: { clicks: count() } })
  .predict({
    name: 'purchase',
    label: purchaseWithin('10 minutes'),
    features: ['clicks', oneHot('event_type', 5), hashed('device', { buckets: 64 })],
    model: logisticRegression({ optimizer: sgd(0.0001), metricsWindow: 200, guardOutcomes: 100, drift: pageHinkley(2) }),
    challengers: {
      eager: logisticRegression({ optimizer: adaGrad(0.1), keepNegatives: 0.5, calibration: 0.05, drift: kswin(0.05) }),
      wild: logisticRegression({ optimizer: adam(3), guardOutcomes: 50, scoreDrift: adwin() }),
    },
    promoteAfter: 500,
  })

export default pipeline('shop')
  .query('predictions', predicted.select(), [jsonLines('out/predictions')])
  .query('metrics', predicted.modelMetrics().select(), [jsonLines('out/metrics')])
  .query('weights', predicted.modelWeights().select(), [jsonLines('out/weights')])
  .query('events', predicted.modelEvents().select(), [jsonLines('out/events')])
  .query('exports', predicted.modelExport().select(), [latestFile('models/{model}.json'), jsonLines('out/exports')])
`
const PARTITIONS = 2
/** An epoch takes whole batches. */
const BATCH_ROWS = 40
const EPOCH_ROWS = 80
/** As many as a job hardly gets through between two kills. */
const SESSIONS_PER_KILL = 100
const SESSIONS_MIN = 600

/** Where a job lives. */
export interface ModelWorld {
  readonly folder: string
  readonly endings: (() => Promise<unknown>)[]
}

/** Starts the job with small epochs. */
export function startLearning(
  world: ModelWorld,
  args: readonly string[] = [],
  settings: Readonly<Record<string, string>> = {},
): JobProcess {
  return startRun(world, ['--rows-per-epoch', `${EPOCH_ROWS}`, ...args], settings)
}

/**
 * Two worlds with the same events in their logs, and a job that has begun and not read any: the key of its hashes, which order its state,
 * is drawn when it begins. Whatever was begun in them is ended, and they are cleared away.
 */
export async function withModelWorlds<T>(
  { count, seed }: ChaosOptions,
  play: (worlds: { undisturbed: ModelWorld; stormy: ModelWorld }) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), 'millrace-chaos-models-'))
  const endings: (() => Promise<unknown>)[] = []
  const undisturbed = { folder: join(folder, 'undisturbed'), endings }
  const stormy = { folder: join(folder, 'stormy'), endings }
  try {
    await mkdir(join(undisturbed.folder, 'home'), { recursive: true })
    await writeFile(join(undisturbed.folder, 'pipeline.ts'), PIPELINE)
    await produce(
      join(undisturbed.folder, 'home', 'log'),
      linesByPartition(SESSIONS_MIN + count * SESSIONS_PER_KILL, seed),
    )
    const { signal, stderr } = await startLearning(undisturbed, [], { MILLRACE_FAILPOINT: 'job:before-plan' }).ended
    if (signal !== 'SIGKILL') throw new Error(`the job has not begun: ${stderr}`)
    await cp(undisturbed.folder, stormy.folder, { recursive: true })
    return await play({ undisturbed, stormy })
  } finally {
    await Promise.allSettled(endings.map((end) => end()))
    await rm(folder, { recursive: true, force: true })
  }
}

/** Sessions stay in one partition. The last click of each is so late that all labels before it are known. */
function linesByPartition(sessions: number, seed: number): string[][] {
  const lines: string[][] = Array.from({ length: PARTITIONS }, () => [])
  const clicks = shopClicks(sessions, seed)
  for (const click of clicks) lines[Number(click.session_id.slice(1)) % PARTITIONS]?.push(JSON.stringify(click))
  const endMs = Date.parse(clicks.at(-1)?.event_time ?? '') + 3_600_000
  for (const [partition, part] of lines.entries()) {
    const last = { event_type: 'page_view', user_id: 'last', session_id: `last${partition}`, device: 'mobile' }
    part.push(JSON.stringify({ event_time: new Date(endMs).toISOString(), ...last }))
  }
  return lines
}

async function produce(folder: string, lines: readonly (readonly string[])[]): Promise<void> {
  const log = await openEmbeddedLog(folder, { mode: 'write' })
  try {
    await log.createTopic('clickstream', { partitions: PARTITIONS })
    for (const [partition, part] of lines.entries()) {
      for (let from = 0; from < part.length; from += BATCH_ROWS) {
        const builder = new RecordBatchBuilder()
        for (const line of part.slice(from, from + BATCH_ROWS)) builder.add(null, encodeText(line), Date.now())
        await log.append('clickstream', partition, builder.finish())
      }
    }
  } finally {
    await log.close()
  }
}

/**
 * Compares all that two runs have left, text by text and byte by byte. What depends on where epochs were cut is compared where both have cut:
 * the weights and metrics of one version, and the last ones.
 */
export async function differences(
  one: ModelWorld,
  other: ModelWorld,
): Promise<{ readonly found: readonly string[]; readonly counts: Readonly<Record<string, number>> }> {
  const found: string[] = []
  const same = (what: string, left: unknown, right: unknown): void => {
    const [leftText, rightText] = [JSON.stringify(left), JSON.stringify(right)]
    if (leftText !== rightText) found.push(`${what}: ${excerpt(leftText, rightText)}`)
  }
  const [predictions, events] = [await rowsOf(one, 'predictions'), await rowsOf(one, 'events')]
  same('predictions', predictions, await rowsOf(other, 'predictions'))
  same('events', events.map(withoutCut), (await rowsOf(other, 'events')).map(withoutCut))
  let compared = 0
  for (const query of ['metrics', 'weights', 'exports']) {
    const byVersion = await rowsByVersion(one, query)
    const others = await rowsByVersion(other, query)
    same(`the last of ${query}`, [...byVersion].slice(-LAST), [...others].slice(-LAST))
    for (const [version, rows] of others) {
      const expected = byVersion.get(version)
      if (expected === undefined) continue
      compared++
      same(`${query} of ${version}`, expected, rows)
    }
  }
  for (const name of await readdir(join(one.folder, 'models'), { recursive: true })) {
    // A mark tells which process has written it.
    if (!name.endsWith('.json') || name.startsWith('.')) continue
    const text = (world: ModelWorld): Promise<string> => readFile(join(world.folder, 'models', name), 'utf8')
    same(`the export ${name}`, await text(one), await text(other))
  }
  same('the state of the engine', await engineState(one), await engineState(other))
  const kind = (wanted: string): number => events.filter(({ event }) => event === wanted).length
  const counts = { drifts: kind('drift'), rollbacks: kind('rollback'), promotions: kind('promotion') }
  for (const [what, count] of Object.entries(counts)) if (count === 0) found.push(`there were no ${what} to compare`)
  return { found, counts: { predictions: predictions.length, compared, ...counts } }
}

/** Parts of the model. */
const LAST = 3

type Row = Readonly<Record<string, unknown>>

/** When an epoch ended, and what came since the one before, is not the same for another cut. */
function withoutCut({ as_of: _asOf, outcomes: _outcomes, ...row }: Row): Row {
  return row
}

/** By `model version`; of several epochs with one version those of the last. */
async function rowsByVersion(world: ModelWorld, query: string): Promise<Map<string, Row[]>> {
  const byEpoch = new Map<string, Row[]>()
  for (const row of await rowsOf(world, query)) {
    const key = `${row['model']} ${row['model_version']} ${row['as_of']}`
    const rows = byEpoch.get(key) ?? []
    rows.push(withoutCut(row))
    byEpoch.set(key, rows)
  }
  return byEpoch
}

/** What a reader of the log of the output finds, epoch by epoch. */
async function rowsOf(world: ModelWorld, query: string): Promise<Row[]> {
  const folder = join(world.folder, 'out', query)
  const rows: Row[] = []
  for (const epoch of await logEpochs(folder, nodeFileSystem)) {
    for (const { path } of (await readLogEntry(folder, epoch, nodeFileSystem))?.files ?? []) {
      const lines = (await readFile(join(folder, path), 'utf8')).split('\n').filter((line) => line !== '')
      for (const line of lines) rows.push(JSON.parse(line) as Row)
    }
  }
  return rows
}

/** Weights, optimizers, scalers, detectors, judges, windows of metrics, waiting rows: all that the next epoch would begin with. */
async function engineState({ folder }: ModelWorld): Promise<string> {
  const checkpoint = join(folder, 'checkpoint')
  const newest = (await readdir(checkpoint))
    .filter((name) => SNAPSHOT_NAME.test(name))
    .sort()
    .at(-1)
  if (newest === undefined) throw new Error(`${checkpoint} has no snapshot`)
  const { engineState } = await readSnapshot(join(checkpoint, newest), nodeFileSystem)
  return Buffer.from(engineState).toString('base64')
}

/** Where two texts part. */
function excerpt(left: string, right: string): string {
  let at = 0
  while (at < left.length && left[at] === right[at]) at++
  const from = Math.max(0, at - 80)
  return `${left.slice(from, at + 80)} is not ${right.slice(from, at + 80)}`
}
