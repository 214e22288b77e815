import { isDeepStrictEqual } from 'node:util'
import { crc32c } from '../../src/base/crc32c.ts'
import { MillraceError } from '../../src/base/error.ts'
import { Random } from '../../src/base/random.ts'
import { Outbox } from '../../src/sinks/outbox.ts'
import { readOutputLog } from '../../src/sinks/output-log.ts'
import { FaultyFiles } from '../support/faulty-files.ts'
import { JobWorld } from '../support/job-world.ts'
import { sinkBatch } from '../support/sink-rows.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'

/**
 * What a job has made durable is damaged between two of its processes: a flipped bit, or an end that is missing. The next start, or whoever
 * reads the output by its log, has to say so and what to do, or everything has to come out right all the same.
 */
export const suite: ChaosSuite = {
  summary: 'a flipped bit or a missing end in journals, snapshots, outputs, their logs and outboxes',
  counted: 'damaged',
  run: damageAll,
}

/** Kinds of files, by path. */
const KINDS = {
  journal: /^\/checkpoint\/journal-/,
  snapshot: /^\/checkpoint\/snapshot-/,
  staged: /\/\.staging\/.*\/part-/,
  segment: /\/\.segments\//,
  published: /^\/out\/(?!.*\/\.).*part-/,
  log: /^\/out\/[^.]*\/_log\/\d/,
  owner: /\/owner\.json$/,
} as const
type Kind = keyof typeof KINDS | 'outbox'
const ALL_KINDS: readonly Kind[] = [...(Object.keys(KINDS) as (keyof typeof KINDS)[]), 'outbox']

/** What became of a damage. */
type Outcome = 'atStart' | 'byReader' | 'harmless' | 'silent'

async function damageAll({ count, seed, budgetMs, name, say }: ChaosOptions): Promise<ChaosReport> {
  const deadlineMs = performance.now() + budgetMs
  const kinds = ALL_KINDS.filter((kind) => new RegExp(name).test(kind))
  const counts = { damaged: 0, atStart: 0, byReader: 0, harmless: 0, silent: 0 }
  const byKind: Record<string, number> = {}
  const problems: string[] = kinds.length === 0 ? [`no kind of file is named ${name}`] : []
  for (let round = 0; counts.damaged < count && performance.now() < deadlineMs && kinds.length > 0; round++) {
    const random = new Random(seed * 1_000_003 + round)
    const kind = kinds[round % kinds.length] as Kind
    const found = kind === 'outbox' ? await damageOutbox(random) : await damageJob(random, kind)
    if (!found) continue
    counts.damaged++
    counts[found.outcome]++
    const key = `${kind} ${found.outcome}`
    byKind[key] = (byKind[key] ?? 0) + 1
    if (found.outcome === 'silent') problems.push(`round ${round}, ${found.damage}: ${found.detail}`)
  }
  for (const [key, number] of Object.entries(byKind).sort()) say(`${key.padEnd(22)} ${number}`)
  return { counts, mustBeZero: ['silent'], problems: problems.slice(0, 20) }
}

interface Found {
  readonly outcome: Outcome
  readonly damage: string
  readonly detail: string
}

/** A job over a disk in memory, killed a few times, damaged, and run to its end. Undefined when there is no such file. */
async function damageJob(random: Random, kind: keyof typeof KINDS): Promise<Found | undefined> {
  const world = new JobWorld(random)
  await world.createTopic()
  for (let life = 1 + random.below(4); life > 0; life--) {
    await world.write()
    if (random.chance(0.7)) world.files.faults.callsUntilDeath = 20 + random.below(600)
    await world.live(false).catch(() => {})
    world.files.restart()
  }
  const paths = (await filesBelow(world.files, '/')).filter((path) => KINDS[kind].test(path))
  if (paths.length === 0) return undefined
  const damage = spoil(world.files, random.pick(paths), random)
  try {
    await world.live(false)
    await world.write()
    await world.live(true)
  } catch (error) {
    return { ...judged(error, 'atStart'), damage }
  }
  try {
    await verifyOutput(world.files)
  } catch (error) {
    return { ...judged(error, 'byReader'), damage }
  }
  const right =
    isDeepStrictEqual(await world.filedRows(), world.expectedRows()) &&
    isDeepStrictEqual(await world.deadLetters(), world.expectedDeadLetters())
  return { outcome: right ? 'harmless' : 'silent', damage, detail: 'the output is wrong and nobody says so' }
}

/** An outbox is read only to send again what is in it. */
async function damageOutbox(random: Random): Promise<Found> {
  const files = new FaultyFiles()
  await files.mkdir('/outbox')
  const outbox = new Outbox('/outbox', files)
  const rows = Array.from({ length: 1 + random.below(20) }, () => ({
    page: `page ${random.below(100)}`,
    views: random.below(1_000),
  }))
  const prepared = await outbox.prepare({ epoch: 1, previous: 0, fence: 1, hash: '' }, sinkBatch(rows))
  const before = await outbox.read(prepared)
  const damage = spoil(files, `/outbox/${prepared.outbox?.path}`, random)
  try {
    const same = isDeepStrictEqual(await outbox.read(prepared), before)
    return { outcome: same ? 'harmless' : 'silent', damage, detail: 'other rows would be sent' }
  } catch (error) {
    return { ...judged(error, 'atStart'), damage }
  }
}

/** An error counts when it is one for people, with a way forward. */
function judged(error: unknown, outcome: Outcome): Omit<Found, 'damage'> {
  const codes = ['corrupt-data', 'incompatible-state', 'data-loss']
  const explained = error instanceof MillraceError && codes.includes(error.code) && error.hint !== ''
  return { outcome: explained ? outcome : 'silent', detail: error instanceof Error ? `${error.stack}` : String(error) }
}

function spoil(files: FaultyFiles, path: string, random: Random): string {
  const bytes = files.content(path)
  if (bytes.length === 0) return `${path} is empty`
  if (random.chance(0.5)) {
    const length = random.below(bytes.length)
    files.setContent(path, bytes.slice(0, length))
    return `${path} cut from ${bytes.length} to ${length}`
  }
  const bit = random.below(bytes.length * 8)
  files.flipBit(path, bit)
  return `bit ${bit} of ${path} (${bytes.length} bytes) flipped`
}

/** As a careful reader does: what the log lists has the checksum that it lists. */
async function verifyOutput(files: FaultyFiles): Promise<void> {
  for (const folder of ['/out/pages', '/out/total', '/out/rolled']) {
    for (const entry of await readOutputLog(folder, files)) {
      for (const { path, bytes, crc } of entry.files) {
        const content = files.content(`${folder}/${path}`)
        if (content.length === bytes && crc32c(content) === crc) continue
        throw new MillraceError('corrupt-data', `${path} is not what _log lists`, { hint: 'restore it' })
      }
    }
  }
}

async function filesBelow(files: FaultyFiles, folder: string): Promise<string[]> {
  const names = await files.readdir(folder).catch(() => undefined)
  if (names === undefined) return [folder]
  const paths = names.map((name) => `${folder === '/' ? '' : folder}/${name}`)
  return (await Promise.all(paths.map((path) => filesBelow(files, path)))).flat()
}
