import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  formatAge,
  formatBytes,
  formatCell,
  formatLag,
  formatShare,
  formatShortCount,
  formatSpan,
  formatTaken,
  formatTime,
  formatWindow,
  withShortTimes,
} from './format.ts'

const TIME_MS = Date.UTC(2026, 2, 14, 10, 4, 3, 250)

function table<A extends readonly unknown[]>(
  name: string,
  format: (...input: A) => string,
  rows: readonly [A, string][],
): void {
  test(name, () => {
    for (const [input, text] of rows) assert.equal(format(...input), text, JSON.stringify(input))
  })
}

table('counts are short from ten million on', formatShortCount, [
  [[0], '0'],
  [[1234.4], '1,234'],
  [[9_999_999], '9,999,999'],
  [[12_345_678], '12.35M'],
])

table('bytes have three digits', formatBytes, [
  [[0], '0 B'],
  [[999], '999 B'],
  [[1_000], '1.00 kB'],
  [[12_345], '12.3 kB'],
  [[999_600], '1.00 MB'],
  [[123_456_789], '123 MB'],
])

table('a share is 0 % or 100 % only if it is', formatShare, [
  [[0, 0], '0 %'],
  [[0, 5], '0 %'],
  [[1, 1_000_000], '<0.01 %'],
  [[1, 3], '33.33 %'],
  [[999_999, 1_000_000], '>99.99 %'],
  [[5, 5], '100 %'],
])

table('an age has its two largest units', formatAge, [
  [[-5], '0s'],
  [[59_999], '59s'],
  [[61_000], '1m 01s'],
  [[3_661_000], '1h 01m'],
  [[90_000_000], '1d 1h'],
])

table('a lag has tenths while it is short', formatLag, [
  [[5_620], '5.6 s'],
  [[-1_200], '-1.2 s'],
  [[61_000], '1m 01s'],
])

table('a span is exact', formatSpan, [
  [[250], '250ms'],
  [[90_000], '1m 30s'],
  [[86_400_000], '1d'],
])

table('times are UTC, in the wanted precision', formatTime, [
  [[TIME_MS], '10:04:03'],
  [[TIME_MS, 'minute'], '10:04'],
  [[TIME_MS, 'tenth'], '10:04:03.2'],
])

table('what an epoch took, in what suits it', formatTaken, [
  [[7.63], '7.6 ms'],
  [[5_792], '5.8 s'],
  [[125_000], '2m 05s'],
])

table('times in a text of the server are shown as all others are', withShortTimes, [
  [['5s behind events-2, at 2026-03-14T10:05:05.380Z'], '5s behind events-2, at 10:05:05.3'],
  [['waiting for the first event'], 'waiting for the first event'],
])

table('a window leaves out what is zero', formatWindow, [
  [[TIME_MS - 3_250, TIME_MS + 56_750], '10:04 – 10:05'],
  [[TIME_MS - 3_250, TIME_MS + 6_750], '10:04:00 – 10:04:10'],
  [[Date.UTC(2026, 2, 14), Date.UTC(2026, 2, 15)], '2026-03-14 – 2026-03-15'],
])

table('cells fit into a narrow column', formatCell, [
  [['/home', 'string'], '/home'],
  [[true, 'boolean'], 'true'],
  [[1_205, 'int64'], '1,205'],
  [[12.5, 'decimal'], '12.50'],
  [[3, 'decimal'], '3.00'],
  [[99_999.99, 'decimal'], '99,999.99'],
  [[123_456.78, 'decimal'], '123,457'],
  [[12_345_678, 'int64'], '12.35M'],
  [[0.123, 'float64'], '0.12'],
  [[TIME_MS, 'timestamp'], '2026-03-14 10:04:03'],
  [[9e15, 'timestamp'], '????-??-?? ??:??:??'],
])
