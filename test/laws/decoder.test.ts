import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EVENT_BYTES_MAX, RowError, RowStatus } from '../../src/batch/batch.ts'
import type { Decoder } from '../../src/batch/json-decoder.ts'
import { defineSchema, json, text, timestamp } from '../../src/batch/schema.ts'
import {
  cellsOf,
  DECODERS,
  decoderOptions,
  EVERY_TYPE,
  kafkaRecords,
  newlineRecords,
  type ReadRow,
  readRows,
  varint,
} from '../support/decoder-cases.ts'
import { fieldCases } from '../support/field-cases.ts'
import { ACCEPTED, documentBytes, NOT_UTF8, REFUSED } from '../support/json-suite.ts'

const SUITE = [...ACCEPTED, ...REFUSED, ...NOT_UTF8]
const FIELD_CASES = fieldCases()
const FIELD_NAMES = EVERY_TYPE.fields.map((field) => field.name)

function decodeLines(decoder: Decoder, ...lines: (string | Uint8Array)[]): ReadRow[] {
  const bytes = Buffer.concat(lines.flatMap((line) => [Buffer.from(line), Buffer.of(10)]))
  return readRows(decoder.decode(newlineRecords(bytes)))
}

function decodeValues(decoder: Decoder, ...values: (string | Uint8Array | null)[]): ReadRow[] {
  return readRows(decoder.decode(kafkaRecords(values.map((value) => (value === null ? null : Buffer.from(value))))))
}

/** What a row is, without where it stands. */
function verdict({ status, error, errorField, cells }: ReadRow): Omit<ReadRow, 'offset' | 'recordTimeMs' | 'value'> {
  return { status, error, errorField, cells: { ...cells, ms: null } }
}

for (const { name, create } of DECODERS) {
  describe(`the ${name} decoder`, () => {
    const fresh = (): Decoder => create(decoderOptions(EVERY_TYPE))

    test('takes what is JSON, refuses what is not, and says why', () => {
      const decoder = fresh()
      for (const suiteCase of SUITE) {
        const [row] = decodeValues(decoder, documentBytes(suiteCase))
        const shown = JSON.stringify(suiteCase[0]).slice(0, 80)
        assert.equal(row?.error, suiteCase[1], shown)
        assert.equal(row?.status, suiteCase[1] === RowError.none ? RowStatus.fine : RowStatus.malformed, shown)
        if (row?.status !== RowStatus.fine) assert.deepEqual(cellsOf(row), {}, shown)
      }
    })

    test('takes line breaks between tokens where the framing allows them', () => {
      const [row] = decodeValues(fresh(), '\r\n{\r\n"s"\n:\n"a"\n,"j":1,"raw"\n:[\n1\r\n]\n}\n')
      assert.deepEqual(cellsOf(row), { s: 'a', j: '[\n1\r\n]', rest: '{"j":1}', ms: row?.recordTimeMs })
    })

    test('reads each field by the rules of its type', () => {
      const decoder = fresh()
      for (const [member, expected] of FIELD_CASES) {
        const [row] = decodeLines(decoder, `{${member}}`)
        if (typeof expected === 'number') {
          assert.deepEqual([row?.status, row?.error], [RowStatus.wrongType, expected], member)
          const field = EVERY_TYPE.fields[row?.errorField ?? 255]
          assert.equal(
            field?.from ?? field?.name,
            JSON.parse(`{${member}}`) && Object.keys(JSON.parse(`{${member}}`))[0],
          )
          assert.deepEqual(cellsOf(row), {}, member)
        } else {
          assert.deepEqual([row?.error, cellsOf(row)], [RowError.none, expected], member)
        }
      }
    })

    test('reads a member by what it is in this row, whatever it was in the rows before', () => {
      const groups = Map.groupBy(FIELD_CASES, ([member]) => member.slice(0, member.indexOf(':')))
      for (const [fieldName, cases] of groups) {
        const kinds = [
          'null',
          '1',
          '"text"',
          'true',
          '{"a":1}',
          '[]',
          'nul',
          '-',
          '"',
          'tru',
          '{',
          '1x',
          'nullx',
          '"a"x',
        ]
        const members = [...cases.map(([member]) => member), ...kinds.map((kind) => `${fieldName}:${kind}`)]
        for (const surroundings of [
          ['{', '}'],
          ['{"x":0,', '}'],
          ['{', ',"x":"y"}'],
          ['{"x":"y",', ',"w":0}'],
        ]) {
          const rows = members.map((member) => surroundings.join(member))
          const alone = rows.map((row) => verdict(decodeLines(fresh(), row)[0] as ReadRow))
          const read = decodeLines(fresh(), ...rows, ...rows.toReversed(), ...rows.flatMap((row) => [row, row]))
          assert.deepEqual(read.map(verdict), [...alone, ...alone.toReversed(), ...alone.flatMap((one) => [one, one])])
        }
      }
    })

    test('gives the same verdict on a row wherever it stands and whatever was read before', () => {
      const rows = [...SUITE.map(documentBytes), ...FIELD_CASES.map(([member]) => Buffer.from(`{${member}}`))]
      const short = rows.filter((row) => row.length < 10_000 && !row.includes(10))
      const alone = short.map((row) => verdict(decodeLines(fresh(), row)[0] as ReadRow))
      const decoder = fresh()
      // Steps that have no divisor in common with the number of rows, so that each order is a permutation.
      for (const step of [1, 7, 101, short.length - 1]) {
        if (gcd(step, short.length) !== 1) continue
        const order = short.map((_, index) => (index * step) % short.length)
        const twice = order.flatMap((index) => [index, index])
        const lines = decodeLines(decoder, ...twice.map((index) => short[index] as Buffer))
        assert.deepEqual(
          lines.map(verdict),
          twice.map((index) => alone[index]),
        )
        const values = decodeValues(decoder, ...twice.map((index) => short[index] as Buffer))
        assert.deepEqual(
          values.map(verdict),
          twice.map((index) => alone[index]),
        )
      }
    })

    test('refuses every prefix of a row', () => {
      const decoder = fresh()
      const whole =
        '{"s":"p\\u00e9","t":"2026-11-24T10:00:00Z","d":1.5,"l":-12,"b":true,"x":[{"y":null}],"raw":{"é":0}}'
      const bytes = Buffer.from(whole)
      const prefixes = Array.from({ length: bytes.length }, (_, length) => bytes.subarray(0, length))
      for (const rows of [
        decodeLines(decoder, bytes, ...prefixes, bytes),
        decodeValues(decoder, bytes, ...prefixes, bytes),
      ]) {
        assert.deepEqual(
          rows.map((row) => row.status),
          [0, ...prefixes.map(() => RowStatus.malformed), 0],
        )
      }
    })

    test('leaves no trace of a refused row in any dictionary', () => {
      const decoder = fresh()
      decodeLines(
        decoder,
        '{"s":"kept"}',
        '{"s":"cut off","u":"x"',
        '{"s":"wrong","i":"x"}',
        '{"s":"lone","u":"\\ud800"}',
        '{"s":"also kept"}',
      )
      const batch = decoder.decode(newlineRecords(Buffer.from('{"s":"third"}')))
      const column = batch.columns[FIELD_NAMES.indexOf('s')]
      assert.equal(column?.kind, 'dictionary')
      const { dictionary } = column
      assert.deepEqual(
        Array.from({ length: dictionary.size }, (_, code) => dictionary.text(code)),
        ['kept', 'also kept', 'third'],
      )
    })

    test('lets the last of repeated members win, and counts the members that came again', () => {
      const decoder = fresh()
      const lines = [
        '{"s":"a","s":"b","i":1,"i":"x","i":2}',
        '{"s":"a","\\u0073":null}',
        '{"i":1,"i":"wrong"}',
        '{"i":1,"i":2',
        '{"x":1,"x":2,"other":1,"other":2}',
      ]
      const batch = decoder.decode(newlineRecords(Buffer.from(lines.join('\n'))))
      const rows = readRows(batch)
      assert.deepEqual(cellsOf(rows[0]), { s: 'b', i: 2 })
      assert.deepEqual(cellsOf(rows[1]), {})
      assert.deepEqual([rows[2]?.status, rows[2]?.error], [RowStatus.wrongType, RowError.wrongKind])
      assert.equal(rows[3]?.status, RowStatus.malformed)
      assert.deepEqual(cellsOf(rows[4]), { rest: '{"x":1,"x":2}' })
      assert.equal(batch.duplicateMembers, 4)
    })

    test('blames the first field of the schema when several have a wrong value, and the row itself before any field', () => {
      const [row, malformed] = decodeLines(fresh(), '{"i":"x","d":"y","s":1,"b":true}', '{"i":"x","d":"y"')
      assert.deepEqual([row?.status, row?.errorField], [RowStatus.wrongType, FIELD_NAMES.indexOf('s')])
      assert.deepEqual([malformed?.status, malformed?.errorField], [RowStatus.malformed, 255])
    })

    test('finds members by what their names say, however they are written', () => {
      const rows = decodeLines(
        fresh(),
        '{"\\u0073":"escaped","\\u0075":"too"}',
        '{"S":"upper","s ":"blank"}',
        '{"s\\u0000":1}',
        '{"__proto__":{"s":"x"},"constructor":1}',
      )
      assert.deepEqual(cellsOf(rows[0]), { s: 'escaped', u: 'too' })
      assert.deepEqual(cellsOf(rows[1]), { rest: '{"S":"upper","s ":"blank"}' })
      assert.deepEqual(cellsOf(rows[2]), { rest: '{"s\\u0000":1}' })
      assert.deepEqual(cellsOf(rows[3]), { rest: '{"__proto__":{"s":"x"},"constructor":1}' })
    })

    test('reads names that objects have by nature like any other', () => {
      const schema = defineSchema({
        a: text({ from: '__proto__' }),
        b: text({ from: 'constructor' }),
        c: text({ from: '' }),
      })
      const decoder = create(decoderOptions(schema))
      const [row, none] = decodeLines(
        decoder,
        '{"__proto__":"p","constructor":"c","":"e","toString":1}',
        '{"valueOf":1}',
      )
      assert.deepEqual(cellsOf(row), { a: 'p', b: 'c', c: 'e' })
      assert.deepEqual(cellsOf(none), {})
    })

    test('collects the members that no field reads, verbatim and in their order', () => {
      const rows = decodeLines(
        fresh(),
        '{"x" : 1.50, "s":"a","y":"\\u00e9\\n","other":2,"w":{"s": [1]},"n":null}',
        '{"s":"a","other":2}',
        '{"j":1,"rest":2}',
      )
      assert.deepEqual(cellsOf(rows[0]), { s: 'a', rest: '{"x" : 1.50,"y":"\\u00e9\\n","w":{"s": [1]},"n":null}' })
      assert.deepEqual(cellsOf(rows[1]), { s: 'a' })
      assert.deepEqual(cellsOf(rows[2]), { rest: '{"j":1,"rest":2}' })
    })

    test('numbers lines one by one; a carriage return before the line feed is not part of a line, the last line may lack its end', () => {
      const bytes = Buffer.from('{"s":"a"}\r\n\n\r\n{"s":\r"b"}\n \r\n{"s":"c"}')
      const rows = readRows(fresh().decode(newlineRecords(bytes, 70)))
      assert.deepEqual(
        rows.map((row) => [row.offset, row.value, row.error]),
        [
          [70, '{"s":"a"}', RowError.none],
          [71, '', RowError.empty],
          [72, '', RowError.empty],
          [73, '{"s":\r"b"}', RowError.none],
          [74, ' ', RowError.empty],
          [75, '{"s":"c"}', RowError.none],
        ],
      )
      assert.ok(rows.every((row) => Number.isNaN(row.recordTimeMs)))
      const [last] = readRows(fresh().decode(newlineRecords(Buffer.from('{"s":"c"}\r'))))
      assert.deepEqual([last?.value, last?.error], ['{"s":"c"}\r', RowError.none])
      assert.equal(fresh().decode(newlineRecords(Buffer.alloc(0))).rowCount, 0)
    })

    test('gives only the rows that are asked for', () => {
      const decoder = fresh()
      const documents = ['{"s":"a"}', 'x', '{"s":"c"}', '{"s":"d"}'].map((document) => Buffer.from(document))
      const lines = newlineRecords(Buffer.concat(documents.flatMap((document) => [document, Buffer.of(10)])), 10)
      for (const records of [lines, kafkaRecords(documents, 10)]) {
        const offsets = (from?: number, to?: number): number[] =>
          readRows(decoder.decode(records, from, to)).map((row) => row.offset)
        assert.deepEqual(offsets(), [10, 11, 12, 13])
        assert.deepEqual(offsets(11), [11, 12, 13])
        assert.deepEqual(offsets(11, 13), [11, 12])
        assert.deepEqual(offsets(0, 10), [])
        assert.deepEqual(offsets(14, 99), [])
      }
    })

    test('reads records with keys, headers and gaps, and calls a record without value empty', () => {
      const rows = decodeValues(fresh(), '{"s":"a"}', null, '', '{"s":"d"}')
      assert.deepEqual(
        rows.map((row) => [row.offset, row.error, row.cells['s']]),
        [
          [0, RowError.none, 'a'],
          [1, RowError.empty, null],
          [2, RowError.empty, null],
          [3, RowError.none, 'd'],
        ],
      )
      assert.deepEqual(
        rows.map((row) => row.recordTimeMs - Date.UTC(2026, 10, 24)),
        [0, 10, 20, 30],
      )
    })

    test('takes a missing time from the record where the schema says so, and only from a record that has one', () => {
      const values = ['{"ms":1764000000000}', '{"ms":null}', '{}', 'x'].map((value) => Buffer.from(value))
      const records = kafkaRecords(values)
      const times = (changes: object): unknown[] => {
        return readRows(fresh().decode({ ...records, ...changes })).map((row) => row.cells['ms'])
      }
      const base = records.baseTimestamp
      assert.deepEqual(times({}), [1764000000000, base + 10, base + 20, null])
      assert.deepEqual(times({ appendTimestamp: 5 }), [1764000000000, 5, 5, null])
      assert.deepEqual(times({ appendTimestamp: -1 }), [1764000000000, null, null, null])
      assert.deepEqual(times({ appendTimestamp: Date.UTC(2300, 0) }), [1764000000000, null, null, null])
    })

    test('makes one malformed row of what is left when the record framing is damaged', () => {
      const whole = kafkaRecords(
        ['{"s":"a"}', '{"s":"b"}'].map((value) => Buffer.from(value)),
        5,
      )
      const first = kafkaRecords([Buffer.from('{"s":"a"}')]).bytes.length
      const damages: Uint8Array[] = [
        whole.bytes.subarray(0, first),
        whole.bytes.subarray(0, first + 1),
        whole.bytes.subarray(0, whole.bytes.length - 1),
        Buffer.concat([whole.bytes.subarray(0, first), varint(-1), Buffer.alloc(20)]),
        Buffer.concat([whole.bytes.subarray(0, first), varint(2 ** 40), Buffer.alloc(20)]),
        Buffer.concat([whole.bytes.subarray(0, first), Buffer.alloc(20, 0xff)]),
        Buffer.concat([whole.bytes.subarray(0, first), varint(8), Buffer.of(0, 0, 0, 99, 99, 99, 99, 99)]),
      ]
      for (const bytes of damages) {
        const rows = readRows(fresh().decode({ ...whole, bytes }))
        assert.deepEqual(
          rows.map((row) => [row.offset, row.error]),
          [
            [5, RowError.none],
            [6, RowError.notJson],
          ],
        )
        assert.equal(rows[1]?.value, Buffer.from(bytes.subarray(first)).toString('latin1'))
      }
    })

    test('takes 1 MB and 32 levels, and no more', () => {
      const decoder = fresh()
      const filled = (length: number): Buffer => Buffer.from(`{"u":"${'x'.repeat(length - 8)}"}`)
      const rows = decodeLines(
        decoder,
        filled(EVENT_BYTES_MAX),
        filled(EVENT_BYTES_MAX + 1),
        Buffer.alloc(EVENT_BYTES_MAX + 1, 32),
        '{}',
      )
      assert.deepEqual(
        rows.map((row) => row.error),
        [RowError.none, RowError.tooLarge, RowError.tooLarge, RowError.none],
      )
      assert.equal(String(rows[0]?.cells['u']).length, EVENT_BYTES_MAX - 8)
      const values = decodeValues(decoder, filled(EVENT_BYTES_MAX), filled(EVENT_BYTES_MAX + 1))
      assert.deepEqual(
        values.map((row) => row.error),
        [RowError.none, RowError.tooLarge],
      )
    })

    test('begins a new dictionary when one is full, and leaves the old one as it is', () => {
      const decoder = create(decoderOptions(defineSchema({ s: text() }), { dictionaryEntriesMax: 2 }))
      const dictionary = (line: string): { size: number; text(code: number): string } => {
        const batch = decoder.decode(newlineRecords(Buffer.from(line)))
        const [column] = batch.columns
        assert.equal(column?.kind, 'dictionary')
        return column.dictionary
      }
      const first = dictionary('{"s":"a"}\n{"s":"b"}\n{"s":"a"}')
      const second = dictionary('{"s":"c"}\n{"s":"a"}')
      const third = dictionary('{"s":"d"}')
      assert.deepEqual([first.size, second.size, third.size], [2, 2, 1])
      assert.deepEqual([first.text(0), first.text(1), second.text(0), third.text(0)], ['a', 'b', 'c', 'd'])
    })

    test('reads local times of a zone: of two the earlier one, a skipped one with the offset from before', () => {
      const schema = defineSchema({ t: timestamp({ timeZone: 'Europe/Paris' }) })
      const decoder = create(decoderOptions(schema))
      const cases: readonly [string, string][] = [
        ['2025-03-30T01:59:59.999', '2025-03-30T00:59:59.999Z'],
        ['2025-03-30T02:30:00', '2025-03-30T01:30:00.000Z'],
        ['2025-03-30T03:00:00', '2025-03-30T01:00:00.000Z'],
        ['2025-10-26T01:59:59', '2025-10-25T23:59:59.000Z'],
        ['2025-10-26T02:30:00', '2025-10-26T00:30:00.000Z'],
        ['2025-10-26T03:00:00', '2025-10-26T02:00:00.000Z'],
        ['1970-01-01T01:00:00', '1970-01-01T00:00:00.000Z'],
        ['2025-10-26T02:30:00+05:00', '2025-10-25T21:30:00.000Z'],
        ['2025-10-26T02:30:00Z', '2025-10-26T02:30:00.000Z'],
      ]
      for (const [local, utc] of cases) {
        const [row] = decodeLines(decoder, JSON.stringify({ t: local }))
        assert.equal(row?.cells['t'], Date.parse(utc), local)
      }
      const [early] = decodeLines(decoder, '{"t":"1970-01-01T00:59:59"}')
      assert.equal(early?.error, RowError.timestampRange)
    })

    test('fills no column but the selected ones', () => {
      const schema = defineSchema({ j: json(), t: text() })
      const decoder = create(decoderOptions(schema, { fields: schema.fields.slice(1) }))
      const [row] = decodeLines(decoder, '{"j":{"wrong":[}]},"t":"x"}', '{"j":1,"t":"y"}').slice(1)
      assert.deepEqual(row?.cells, { t: 'y' })
    })
  })
}

function gcd(left: number, right: number): number {
  return right === 0 ? left : gcd(right, left % right)
}
