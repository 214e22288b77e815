import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { isDeepStrictEqual } from 'node:util'
import { RowStatus } from '../../src/batch/batch.ts'
import { cellValue } from '../../src/batch/cell.ts'
import { createScalarDecoder } from '../../src/batch/scalar-decoder.ts'
import { type Field, int64, json } from '../../src/batch/schema.ts'
import { compileExpression } from '../../src/engine/expression/compile.ts'
import { col, type Expression, eq, isIn } from '../../src/plan/expression.ts'
import { expressionType } from '../../src/plan/expression-type.ts'
import { concat, contains, endsWith, splitPart, startsWith, urlParam } from '../../src/plan/functions.ts'
import { aggregateSql } from '../../src/spark/aggregate-sql.ts'
import { expressionSql } from '../../src/spark/expression.ts'
import { aggregate, project } from '../../src/spark/relation.ts'
import { sqlName } from '../../src/spark/sql.ts'
import { everyType } from '../support/random-expressions.ts'
import { requirement } from '../support/requirement.ts'
import { openSparkRows, type SparkRow as Row } from '../support/spark-rows.ts'

const PLACE: Field = { ...int64({ required: true }), name: 'place' }
const REST: Field = { ...json({ rest: true }), name: 'rest' }
const FIELDS = [...everyType.fields, PLACE]

/** What Spark's SQL would put a setting of the session for. */
const PLACEHOLDER = `$${'{spark.sql.session.timeZone}'}`

/** What may stand in an event, beside `place` and what is required. Spark takes `1e-400` for the whole number 0: that difference stays. */
const MEMBERS = [
  ...['1', '-1', '0', '-0', '-0.0', '-0e0', '1.0', '1e3', '1.5', '1E+2', '9007199254740991', '9007199254740992'],
  ...[
    '9007199254740993',
    '-9007199254740993',
    '9007199254740991.4',
    '2147483648',
    '1e400',
    '4503599627370497.25',
    '123456789012345678901234567890',
  ],
  ...[
    '0.12345678901234567890123456789012345678901234567890',
    '90071992547409.914',
    '90071992547409.915',
    '1.005',
    '-1.005',
    '2.675',
  ],
  ...['01', '+1', '.5', '1.', 'NaN', 'Infinity', '-Infinity', '0x10', 'true', 'false', 'null', 'nul', "'a'"],
  ...[
    '"a"',
    '""',
    '"1"',
    '"NaN"',
    '"it\'s \\" \\\\ /"',
    '"\\u0000"',
    '"\\ud83d\\ude00"',
    '"\\ud83d"',
    '"\\ude00"',
    '"\\ud83d\\ud83d\\ude00"',
  ],
  ...['"a\tb"', '"\\q"', '"\\u12"', '"\u2028\u00a0"', '"\u{1f5fc}"', `"${PLACEHOLDER}"`, '"a%b_c"'],
  ...['[]', '{}', '[1,"a",{"b":null}]', '{"b":1,"a":2}', '{"a":1,"a":2}', '{"n":1.50,"e":1e2}', '[1,]', '{"a":1,}'],
  ...[
    '"00000000-0000-4000-8000-0000000000AB"',
    '"00000000-0000-4000-8000-0000000000ag"',
    '"{00000000-0000-4000-8000-0000000000ab}"',
  ],
  ...[
    '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
    '[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]]',
  ],
]

/** Whole texts; `$` stands for the members that are required. */
const DOCUMENTS = [
  ...[
    '{$}',
    ' {$} ',
    '{$}\r',
    '{$} x',
    '{$}{$}',
    '[{$}]',
    '{$',
    '$',
    '{$,}',
    '{$,"place":1e9}',
    '{$,"country":"a","country":"b"}',
  ],
  ...[
    '{$,"other":{"a":1,"a":2}}',
    '{$,"other":"\\ud800"}',
    '{$,"\\ud800":1}',
    '{$,"":1}',
    '{$,"a.b":1,"a`b":2}',
    '\ufeff{$}',
    '{$,/*c*/"n":1}',
  ],
  ...[
    '{$,"COUNTRY":"x"}',
    '{$,"n":1,"n":"x"}',
    '{$,"n":"x","n":1}',
    '{$,"coun\\u0074ry":"x"}',
    '{$,"other":NaN}',
    "{$,'n':1}",
    '{$,n:1}',
    '',
  ],
  `{$,"other":${'['.repeat(40)}"${'x'.repeat(200_000)}"${']'.repeat(40)}}`,
  ...[
    `{$,"other":"${'\\\\'.repeat(100_000)}","a":[${'{},'.repeat(40)}1]}`,
    `{$,"other":"${'\\u00e4'.repeat(50_000)}"}`,
  ],
  ...['{$,"other":"\\\\ud800"}', '{$,"other":"\\ud83d\\uDE00\\ud7ff"}', '{$,"other":"\\ude00\\ud83d"}'],
  ...['{$},0', '{$},{$}', '{$}]', '"{$}"', '{$,"other":01}'],
]

describe('documents', requirement('spark'), () => {
  test('are events on Spark with the same values as here, or on neither', async (t) => {
    const lines = [
      ...everyType.fields.flatMap(({ name }, index) =>
        MEMBERS.map(
          (value, at) => `{"t":1,"page":"p","price":1,${JSON.stringify(name)}:${value},"place":${index * 1_000 + at}}`,
        ),
      ),
      ...DOCUMENTS.map((text, at) => text.replaceAll('$', `"t":1,"page":"p","price":1,"place":${20_000 + at}`)),
    ]
    const { events, ask } = await openSparkRows(t, lines, FIELDS)
    const theirs = await ask(project(events, ...FIELDS.map(({ name }) => sqlName(name))), FIELDS)
    const mine = decoded(lines, FIELDS)
    assert.deepEqual(differences(mine, theirs, lines), [])
  })

  test('texts in expressions are themselves, whatever they would mean in SQL', async (t) => {
    const texts = [
      PLACEHOLDER,
      "it's",
      '\\',
      '\\n',
      '\\%',
      '\\u0041',
      "\\'",
      '`',
      '"',
      '\u0000',
      'ä\\E',
      '%_',
      '\n',
      '\u2028',
      '🗼',
      '--',
      '/*',
      ';',
      '$1',
    ]
    const nodes = texts.flatMap((text): Expression[] => [
      concat(text, col('page')),
      eq(col('country'), text),
      isIn(col('country'), [text]),
      contains(col('country'), text),
      startsWith(col('country'), text),
      endsWith(col('country'), text),
      splitPart(col('country'), text, 2),
      urlParam(col('page'), text),
    ])
    const lines = texts.map((text, place) =>
      JSON.stringify({ t: 1, page: `/x?${text}=1&b=2`, country: text, price: 1, place }),
    )
    const { events, ask } = await openSparkRows(t, lines, FIELDS)
    const types = nodes.map((node, index) => ({ ...expressionType(node, FIELDS), name: `v${index}` }))
    const columns = nodes.map((node, index) => `${expressionSql(node, FIELDS)} AS ${sqlName(`v${index}`)}`)
    const theirs = await ask(project(events, sqlName(PLACE.name), ...columns), [PLACE, ...types])
    const batch = decodedBatch(lines, FIELDS)
    const mine = lines.map((_, row) => {
      const cells = nodes.map((node, index) => [
        `v${index}`,
        cellValue(compileExpression(node, FIELDS, 1)(batch), types[index] as Field, row),
      ])
      return { place: row, ...Object.fromEntries(cells) }
    })
    assert.deepEqual(differences(mine, theirs, lines), [])
  })

  test('sums and means that no double holds are null, and zero has no sign', async (t) => {
    const values: Readonly<Record<string, readonly string[]>> = {
      large: ['1.7e308', '1.7e308'],
      small: ['-1.7e308', '-1.7e308'],
      zero: ['-0e0', '-0e0'],
      plain: ['1', '2', 'null'],
      none: ['null'],
    }
    const lines = Object.entries(values).flatMap(([country, own]) =>
      own.map((x) => `{"t":1,"page":"p","price":1,"place":0,"country":"${country}","x":${x}}`),
    )
    const { events, ask } = await openSparkRows(t, lines, FIELDS)
    const both = [
      { name: 'total', spec: { kind: 'sum', column: 'x' } },
      { name: 'mean', spec: { kind: 'avg', column: 'x' } },
    ] as const
    const sql = both.map((one) => aggregateSql(one, FIELDS, 't'))
    const grouped = aggregate(
      events,
      ['country'],
      sql.map(({ added }) => added),
    )
    const number = { type: 'float64', required: false, cardinality: 'unique' } as const
    const types = [
      { ...number, name: 'country', type: 'string' } as const,
      ...both.map(({ name }) => ({ ...number, name })),
    ]
    const rows = await ask(project(grouped, 'country', ...sql.map(({ result }) => result)), types)
    assert.deepEqual(
      rows.toSorted((left, right) => String(left['country']).localeCompare(String(right['country']))),
      [
        { country: 'large', total: null, mean: null },
        { country: 'none', total: null, mean: null },
        { country: 'plain', total: 3, mean: 1.5 },
        { country: 'small', total: null, mean: null },
        { country: 'zero', total: 0, mean: 0 },
      ],
    )
  })

  test('members that no field reads are kept', async (t) => {
    const others = [
      '"a":1',
      '"a":"x"',
      '"a":1,"a":2',
      '"b":[1,{"c":null}],"a":1.50',
      '"t2":null',
      '"a":{"b":1,"b":2}',
      '"a":1e2,"c":-0',
      '"a":12345678901234567890',
      '"ä\\n":"\\u00e4/"',
    ]
    const lines = others.map((other, place) => `{"t":1,"page":"p","price":1,"place":${place},${other}}`)
    const fields = [...FIELDS, REST]
    const { events, ask } = await openSparkRows(t, lines, fields)
    const theirs = await ask(project(events, sqlName(PLACE.name), sqlName(REST.name)), [PLACE, REST])
    const mine = decoded(lines, fields).map(({ place, rest }) => ({ place, rest }))
    assert.deepEqual(differences(mine, theirs, lines), [])
  })
})

/** Rows that are not the same, with their lines. */
function differences(mine: readonly Row[], theirs: readonly Row[], lines: readonly string[]): string[] {
  const [left, right] = [mine, theirs].map((rows) => Map.groupBy(rows, ({ place }) => Number(place)))
  return [...new Set([...(left?.keys() ?? []), ...(right?.keys() ?? [])])]
    .sort((a, b) => a - b)
    .flatMap((place) => {
      const [one, other] = [left?.get(place) ?? [], right?.get(place) ?? []]
      const line = lines.find((text) => text.includes(`"place":${place}`))
      if (one.length !== other.length) return [`${one.length} here, ${other.length} on Spark: ${line?.slice(0, 200)}`]
      return one.flatMap((row, index) =>
        Object.keys(row)
          .filter((name) => !same(name, row[name] ?? null, other[index]?.[name] ?? null))
          .map(
            (name) =>
              `${name} is ${JSON.stringify(row[name])} here, ${JSON.stringify(other[index]?.[name])} on Spark: ${line?.slice(0, 200)}`,
          ),
      )
    })
}

/** JSON says the same, however it is written. An infinite number is one that no double holds. */
function same(name: string, mine: unknown, theirs: unknown): boolean {
  if ((name !== 'more' && name !== REST.name) || mine === null || theirs === null) return mine === theirs
  const [one, other] = [mine, theirs].map((text) => JSON.parse(String(text)) as unknown)
  return isDeepStrictEqual(one === Number.POSITIVE_INFINITY ? 'Infinity' : withoutSign(one), withoutSign(other))
}

function withoutSign(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value))
}

function decodedBatch(lines: readonly string[], fields: readonly Field[]) {
  const knownMembers = new Set(fields.map(({ name }) => name))
  const decoder = createScalarDecoder({ fields, knownMembers, hashSeed: 1, dictionaryEntriesMax: 10_000 })
  const bytes = Buffer.from(lines.map((line) => `${line}\n`).join(''))
  const records = {
    framing: 'newline',
    bytes,
    baseOffset: 0,
    endOffset: lines.length,
    recordCount: lines.length,
  } as const
  return decoder.decode({ ...records, baseTimestamp: Number.NaN })
}

function decoded(lines: readonly string[], fields: readonly Field[]): Row[] {
  const batch = decodedBatch(lines, fields)
  return Array.from({ length: batch.rowCount }, (_, row) => row)
    .filter((row) => batch.status[row] === RowStatus.fine)
    .filter((row) =>
      fields.every((field, index) => !field.required || cellValue(batch.columns[index] as never, field, row) !== null),
    )
    .map((row) =>
      Object.fromEntries(
        fields.map((field, index) => [field.name, cellValue(batch.columns[index] as never, field, row)]),
      ),
    )
}
