import assert from 'node:assert/strict'
import { test } from 'node:test'
import { Command } from 'commander'
import { DEFAULT_SETTINGS, type GeneratorSettings, generatorSettings } from '../generator/settings.ts'
import { addTrafficOptions, trafficSettings } from './traffic-options.ts'

function parsed(args: readonly string[], base = DEFAULT_SETTINGS): GeneratorSettings {
  const command = addTrafficOptions(new Command().exitOverride().configureOutput({ writeErr: () => {} }))
  command.parse(args, { from: 'user' })
  return generatorSettings(trafficSettings(command.opts(), base))
}

test('every setting of the traffic has an option, and what is left out stays as it was', () => {
  const args = `--users 600000 --user-skew 1.1 --max-active-sessions 500 --new-session-probability 10% --products 7
    --base-purchase-probability 0.01 --purchase-scaling 0.002 --day-curve 0.5 --late 3% --late-min 5m --late-max 6m
    --out-of-order 4% --out-of-order-max 7s --duplicates 5% --duplicates-within 8s --malformed 6% --invalid 7%
    --silent-partition 2 --silent-after 9s --fast-clock 10m --workers 2 --tasks-per-worker 3`
  const settings = parsed(args.split(/\s+/))
  assert.deepEqual(settings, {
    ...{ seed: 1, partitions: 4, eventsPerSecond: 2_000 },
    ...{ users: 600_000, userZipfExponent: 1.1, activeSessionsMax: 500, newSessionProbability: 0.1 },
    ...{ purchaseProbabilityBase: 0.01, purchaseProbabilityScaling: 0.002, productsPerCategory: 7 },
    ...{ diurnalStrength: 0.5, lateFraction: 0.03, lateMinMs: 300_000, lateMaxMs: 360_000 },
    ...{ outOfOrderFraction: 0.04, outOfOrderMaxMs: 7_000, duplicateFraction: 0.05, duplicateWithinMs: 8_000 },
    ...{ malformedFraction: 0.06, invalidFraction: 0.07, silentPartition: 2, silentAfterMs: 9_000 },
    ...{ fastClockMs: 600_000, producers: 6 },
  })
  const apart = Object.keys(settings).filter((name) =>
    Object.is(settings[name as keyof GeneratorSettings], DEFAULT_SETTINGS[name as keyof GeneratorSettings]),
  )
  assert.deepEqual(apart, ['seed', 'partitions', 'eventsPerSecond'])
  assert.deepEqual(parsed([], settings), settings)
})

test('late data is one event in 50, a share of its own, or none', () => {
  const late = (...args: string[]): number => parsed(args, { ...DEFAULT_SETTINGS, lateFraction: 0.3 }).lateFraction
  assert.deepEqual(
    [late(), late('--late-data'), late('--late-data', '--late', '5%'), late('--late', '5%'), late('--no-late-data')],
    [0.3, 0.02, 0.05, 0.05, 0],
  )
})

test('what is no number is refused with a form that would do', () => {
  assert.throws(() => parsed(['--user-skew', 'steep']), /Write a number such as 0\.9/)
  assert.throws(() => parsed(['--late', 'often']), /Write a share/)
})
