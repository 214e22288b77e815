import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteReader, ByteWriter } from '../base/bytes.ts'
import { Random } from '../base/random.ts'
import { Contest } from './contest.ts'
import { addNumber, type FeatureVector, featureVector } from './feature-vector.ts'
import { adaGrad, logisticRegression, sgd } from './model-spec.ts'

const SLOTS = { size: 2, numbers: 2, featuresMax: 2 }
/** It learns nothing to speak of. */
const slow = logisticRegression({ optimizer: sgd(1e-6), drift: null, guardOutcomes: null })
const fast = logisticRegression({ optimizer: adaGrad(0.1), drift: null })

test('a challenger that predicts better becomes the champion, and answers from then on', () => {
  const contest = new Contest(
    { name: 'm', champion: slow, challengers: [{ name: 'fast', model: fast }], promoteAfter: 500 },
    SLOTS,
  )
  const random = new Random(1)
  for (let row = 0; row < 499; row++) step(contest, random)
  assert.deepEqual(roles(contest), { m: 'champion', 'm/fast': 'challenger' })
  assert.deepEqual(contest.takeEvents(), [])
  for (let row = 0; row < 501; row++) step(contest, random)
  assert.deepEqual(roles(contest), { m: 'challenger', 'm/fast': 'champion' })
  const [event, ...more] = contest.takeEvents()
  assert.deepEqual([event?.kind, event?.part, event?.outcome, more], ['promotion', 'm/fast', 500, []])
  assert.match(event?.reason ?? '', /^lost 0\.\d+ less an outcome, in place of m$/)
  const told = new Float64Array(contest.toldSize)
  contest.tell(rowOf(0.5, 0.5), told)
  assert.equal(told[0], told[3], 'what the challenger says is what the model says')
  contest.report()
  const [old, now] = contest.parts()
  assert.ok((now?.report?.metrics.skill ?? 0) > (old?.report?.metrics.skill ?? 0) + 0.1, 'each has metrics of its own')
})

test('a challenger that is as good is promoted by command only, and an old champion comes back', () => {
  const options = { name: 'm', champion: fast, challengers: [{ name: 'twin', model: fast }], promoteAfter: 200 }
  const contest = new Contest(options, SLOTS)
  const random = new Random(2)
  for (let row = 0; row < 2000; row++) step(contest, random)
  assert.deepEqual(roles(contest), { m: 'champion', 'm/twin': 'challenger' })
  contest.obey({ id: '1', action: 'promote', model: 'm', challenger: 'm/twin' })
  assert.deepEqual(roles(contest), { m: 'challenger', 'm/twin': 'champion' })
  contest.obey({ id: '2', action: 'promote', model: 'm', challenger: 'm' })
  assert.deepEqual(roles(contest), { m: 'champion', 'm/twin': 'challenger' })
  contest.obey({ id: '3', action: 'promote', model: 'm', challenger: 'm/nobody' })
  assert.deepEqual(
    contest.takeEvents().map(({ kind, reason }) => [kind, reason]),
    [
      ['promotion', 'by command, in place of m'],
      ['promotion', 'by command, in place of m/twin'],
      ['refused', 'no part is named m/nobody'],
    ],
  )
})

test('weights go back to a version that is kept, by command, and what is not kept is refused', () => {
  const contest = new Contest(
    { name: 'm', champion: { ...fast, guardOutcomes: 200 }, challengers: [], promoteAfter: null },
    SLOTS,
  )
  const random = new Random(3)
  for (let row = 0; row < 1000; row++) step(contest, random)
  const { kept = [] } = contest.parts()[0] ?? {}
  assert.deepEqual(kept, [600, 800, 1000], 'the newest three of those that were surely better')
  const weights = [...(contest.parts()[0]?.weights ?? [])]
  for (let row = 0; row < 100; row++) step(contest, random)
  contest.obey({ id: '1', action: 'rollback', model: 'm', version: 1000 })
  assert.deepEqual([...(contest.parts()[0]?.weights ?? [])], weights)
  assert.equal(contest.version, 1101, 'versions go on')
  contest.obey({ id: '2', action: 'rollback', model: 'm', version: 999 })
  contest.obey({ id: '3', action: 'rollback', model: 'm', version: null })
  const events = contest.takeEvents().map(({ kind, version, toVersion, reason }) => [kind, version, toVersion, reason])
  assert.deepEqual(events, [
    ['rollback', 1100, 1000, 'by command'],
    ['refused', 1101, null, 'by command: version 999 is not kept'],
    ['rollback', 1101, 1000, 'by command'],
  ])
})

test('a contest that is stored and restored again and again goes on as one that is not', () => {
  const options = {
    name: 'm',
    champion: slow,
    challengers: [
      { name: 'fast', model: fast },
      { name: 'wild', model: logisticRegression({ optimizer: sgd(5), guardOutcomes: 50 }) },
    ],
    promoteAfter: 100,
  }
  const run = (next: (contest: Contest) => Contest): Buffer => {
    const random = new Random(4)
    let contest = new Contest(options, SLOTS)
    for (let row = 0; row < 700; row++) {
      step(contest, random)
      contest = next(contest)
    }
    return bytesOf(contest)
  }
  const straight = run((contest) => contest)
  const stored = run((contest) => {
    const copy = new Contest(options, SLOTS)
    copy.restore(new ByteReader(bytesOf(contest), 'a contest'))
    return copy
  })
  assert.ok(stored.equals(straight))
})

function step(contest: Contest, random: Random): void {
  const value = random.fraction()
  const row = rowOf(value, random.fraction())
  const told = new Float64Array(contest.toldSize)
  contest.tell(row, told)
  contest.settle(row, told, random.chance(value) ? 1 : 0)
}

function rowOf(left: number, right: number): FeatureVector {
  const row = featureVector(2)
  addNumber(row, 0, left)
  addNumber(row, 1, right)
  return row
}

function roles(contest: Contest): Record<string, string> {
  return Object.fromEntries(contest.parts().map(({ name, role }) => [name, role]))
}

function bytesOf(contest: Contest): Buffer {
  const writer = new ByteWriter(1024)
  contest.write(writer)
  return Buffer.from(writer.finish())
}
