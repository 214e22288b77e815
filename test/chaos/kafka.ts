import { Random } from '../../src/base/random.ts'
import { finishKafka, type KafkaScene, untilMoreIsVisible, withKafkaScene } from './kafka-scene.ts'
import { TROUBLES } from './kafka-troubles.ts'
import type { ChaosOptions, ChaosReport, ChaosSuite } from './suite.ts'

/**
 * A job from a topic to a topic of a real broker, exactly once, while the job dies, the broker dies or hangs and connections break. What Kafka's own
 * consumer reads of the committed records at the end is compared with the oracle: nothing that was committed can be taken back, so that
 * no reader can ever have seen anything else.
 */
export const suite: ChaosSuite = {
  summary:
    'a job between topics of a real broker: kills, restarts, freezes, cuts, transactions that run out, stale processes',
  counted: 'rounds',
  run: (options) => withKafkaScene(options, (scene) => play(scene, options)),
}

/** How often one kind of trouble comes in comparison to the others. */
const WEIGHTS: Readonly<Record<string, number>> = {
  kills: 60,
  cuts: 12,
  endings: 12,
  restarts: 6,
  stale: 6,
  freezes: 3,
  timeouts: 1,
}

async function play(scene: KafkaScene, { count, seed, budgetMs, name, say }: ChaosOptions): Promise<ChaosReport> {
  const random = new Random(seed)
  const startMs = performance.now()
  const pattern = new RegExp(name)
  const deck = Object.entries(WEIGHTS).flatMap(([kind, weight]) =>
    pattern.test(kind) ? Array.from({ length: weight }, () => kind) : [],
  )
  const met: Record<string, number> = Object.fromEntries(['rounds', ...new Set(deck)].map((kind) => [kind, 0]))
  await untilMoreIsVisible(scene, 'its start')
  let before = ''
  for (let round = 0; round < count && performance.now() - startMs < budgetMs && scene.problems.length === 0; round++) {
    const kind = random.pick(deck)
    // A job that is only starting gives up when there is no broker.
    if (kind !== 'kills' && before === 'kills') await untilMoreIsVisible(scene, 'a kill')
    before = kind
    await TROUBLES[kind]?.(scene, random)
    met[kind] = (met[kind] ?? 0) + 1
    met.rounds = round + 1
    if ((round + 1) % 20 === 0) say(`${round + 1} troubles, ${scene.feed.sent} events`)
  }
  const { lost, duplicated, hangs, problems } = await finishKafka(scene)
  const counts = { ...met, events: scene.feed.sent, lost, duplicated, hangs }
  return { counts, mustBeZero: ['lost', 'duplicated', 'hangs'], problems }
}
