/** The harness itself: a table that expects something else than what happens fails, and shows the place. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { playEveryWay } from '../support/timeline/timeline.ts'
import { perMinute } from '../support/timeline/visits.ts'

test('a row that is not expected shows at its line, expected against seen', async () => {
  await assert.rejects(
    playEveryWay(
      perMinute('0s'),
      `
        00:00:05  /a
        00:01:00  /a   -> [00:00, 00:01) /a 2
        end            -> [00:01, 00:02) /a 1`,
      'append',
    ),
    new Error(
      [
        'epochs of 1, 1 partitions, parallelism 1',
        '  00:00:05  /a',
        '> 00:01:00  /a                 -> [00:00, 00:01) /a 2',
        '      expected  [00:00, 00:01) /a 2',
        '      seen      [00:00, 00:01) /a 1',
        '  end                          -> [00:01, 00:02) /a 1',
      ].join('\n'),
    ),
  )
})

for (const [what, text] of [
  ['a row that comes where none is expected', '00:00:05 /a\n00:01:00 /a\nend -> [00:01, 00:02) /a 1'],
  ['a row that is missing', '00:00:05 /a -> [00:00, 00:01) /a 1\nend -> [00:00, 00:01) /a 1'],
  ['a row that is accepted and was to be late', '00:00:05 /a -> late\nend -> [00:00, 00:01) /a 1'],
  ['a row that is late and was to be accepted', '00:01:00 /a\n00:00:05 /a\nend -> [00:01, 00:02) /a 1'],
  ['another watermark', '00:00:05 /a -> watermark 00:00:06\nend -> [00:00, 00:01) /a 1'],
  ['another rule', 'raw {} -> invalid page-required\nend'],
] as const) {
  test(`${what} fails the timeline`, async () => {
    await assert.rejects(playEveryWay(perMinute('0s'), text, 'append'), /expected {2}|seen {6}/)
  })
}

test('what cannot be read is refused: a time that is none, too many columns, a table that expects nothing', async () => {
  const play = (text: string): Promise<void> => playEveryWay(perMinute('0s'), text, 'append')
  await assert.rejects(play('24:61:5 /a -> late'), /"24:61:5" is not a time of day/)
  await assert.rejects(play('00:00:05 /a /b -> late'), /more columns than the schema/)
  await assert.rejects(play('00:00:05 /a'), /a timeline expects something/)
})
