import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { type Batch, RowStatus } from '../batch/batch.ts'
import { cellText } from '../batch/cell.ts'
import type { EncodedRecords } from '../batch/encoded-records.ts'
import { createScalarDecoder } from '../batch/scalar-decoder.ts'
import type { Schema } from '../batch/schema.ts'
import { Validator } from '../engine/validation/validator.ts'
import { count, countDistinct, sum } from '../plan/aggregate.ts'
import { checkPlan } from '../plan/check.ts'
import { logSource } from '../plan/connectors.ts'
import { col, eq } from '../plan/expression.ts'
import { pipeline } from '../plan/pipeline.ts'
import type { Rule } from '../plan/rule.ts'
import { stream } from '../plan/stream.ts'
import { tumbling } from '../plan/window.ts'
import { CLICK_EVENT_TYPES, clickEvent, clickEventRules } from './click-event.ts'
import { dialects } from './dialects/index.ts'

const fixture = (name: string) => readFileSync(join(import.meta.dirname, 'dialects/fixtures', `${name}.ndjson`))

describe('each dialect', () => {
  for (const [name, { schema, rules }] of dialects) {
    test(`${name} takes its system's own events unchanged`, () => {
      const bytes = fixture(name)
      const rows = read(schema, rules, bytes)
      assert.equal(rows.length, bytes.toString().trim().split('\n').length)
      for (const row of rows) assert.equal(row['refused'], undefined, row['refused'])
      assert.ok(rows.length >= 4)
    })

    test(`${name} has all columns of the canonical event`, () => {
      assert.deepEqual(namesOf(schema), namesOf(clickEvent))
    })

    test(`${name} can be queried like the canonical event`, () => {
      const query = stream(logSource('events'), clickEvent)
        .withWatermark('event_time', '2 minutes')
        .groupBy('page_url', 'country', 'device')
        .window(tumbling('1 minute'))
        .aggregate({
          views: count().where(eq(col('event_type'), 'page_view')),
          users: countDistinct('user_id'),
          revenue: sum('amount'),
        })
      const plan = pipeline('p').query('q', query)
      const swapped = JSON.parse(JSON.stringify(plan), (member, value) =>
        member === 'schema' ? schema : member === 'rules' ? rules : value,
      )
      assert.deepEqual(checkPlan(swapped), [])
    })
  }
})

describe('the values of', () => {
  test('online-model: seconds since 1970, numbered users, amounts of purchases only', () => {
    assert.deepEqual(
      columns('online-model', 'event_time', 'event_type', 'user_id', 'session_id', 'page_url', 'amount'),
      [
        ['2025-11-25T08:00:00.000Z', 'purchase', '1', 's1', '/buy', '49.99'],
        ['2025-11-25T08:00:01.000Z', 'purchase', '2', 's2', '/buy', '20.00'],
        ['2025-11-25T08:00:02.000Z', 'click', '71345', 'k3v9x0q2mz', '/products?aBcDeF', ''],
        ['2025-11-25T08:00:03.000Z', 'view', '71345', 'k3v9x0q2mz', '/home?QwErTy', ''],
        ['2025-11-25T08:00:04.000Z', 'scroll', '100000', '0a1b2c3d4e', '/checkout?ZzYyXx', ''],
      ],
    )
  })

  test('page-geo-sessions: page, revenue, sessions that may be null, and what is left in props', () => {
    const names = ['event_time', 'event_type', 'session_id', 'page_url', 'country', 'amount', 'props']
    assert.deepEqual(columns('page-geo-sessions', ...names), [
      ['2025-11-25T08:00:00.123Z', 'page_view', 'sess_90210', '/', 'IN', '', '{"campaign": "brand","latency_ms": 312}'],
      ['2025-11-25T08:00:00.323Z', 'click', '', '/search', 'DE', '', '{"campaign": "none","latency_ms": 71}'],
      [
        '2025-11-25T08:00:00.523Z',
        'add_to_cart',
        'sess_90210',
        '/product/sku-1',
        'IN',
        '',
        '{"campaign": "brand","latency_ms": 1200}',
      ],
      [
        '2025-11-25T08:00:00.723Z',
        'purchase',
        'sess_90210',
        '/checkout',
        'IN',
        '129.90',
        '{"campaign": "brand","latency_ms": 640}',
      ],
      ['2025-11-25T08:00:01.000Z', 'page_view', 'sess_1', '/help', 'AE', '', '{"campaign": "brand","latency_ms": 50}'],
    ])
  })

  test('url-device-activity: times without an offset are UTC', () => {
    assert.deepEqual(columns('url-device-activity', 'event_time', 'event_type', 'page_url', 'device', 'browser'), [
      ['2025-11-25T08:00:00.000Z', 'view', '/home', 'mobile', 'chrome'],
      ['2025-11-25T08:00:00.250Z', 'click', '/product', 'desktop', 'firefox'],
      ['2025-11-25T08:00:01.000Z', 'scroll', '/category', 'tablet', 'safari'],
      ['2025-11-25T08:00:01.999Z', 'hover', '/settings', 'desktop', 'edge'],
    ])
    assert.equal(columns('url-device-activity', 'event_id')[0]?.[0], '0e2f5c5a-3f0e-4f4e-9d1a-6c1c7f7f0a01')
  })

  test('ecommerce: fields by type of event, order lines kept as they are', () => {
    const rows = read(dialects.get('ecommerce')?.schema, [], fixture('ecommerce'))
    const [login, view, click, purchase, cart, search, failedSearch] = rows
    assert.deepEqual(pick(login, 'event_type', 'country', 'props'), [
      'user_login',
      'US',
      '{"login_method": "sso","success": true}',
    ])
    assert.deepEqual(pick(view, 'page_url', 'referrer', 'duration_seconds'), ['product', 'search', '187'])
    assert.deepEqual(pick(click, 'item_id', 'category', 'props'), ['item_0123', 'books', '{"position": 7}'])
    assert.deepEqual(pick(purchase, 'order_id', 'amount', 'currency', 'props'), [
      'order_1f3870be',
      '240.75',
      'USD',
      '{"items": ["item_0001", "item_0500"],"quantities": [1, 3],"payment_method": "paypal"}',
    ])
    assert.deepEqual(pick(cart, 'item_id', 'quantity', 'price'), ['item_0042', '2', '19.50'])
    assert.deepEqual(pick(search, 'search_query', 'results_count', 'props'), [
      'laptop',
      '100',
      '{"clicked_position": 3}',
    ])
    assert.deepEqual(pick(failedSearch, 'results_count', 'props'), ['0', '{"clicked_position": null}'])
  })

  test('user-activity: the canonical names', () => {
    assert.deepEqual(columns('user-activity', 'event_time', 'user_id', 'page_url', 'event_type', 'props'), [
      ['2024-01-28T10:30:00.000Z', 'user_5', 'https://example.com/products', 'page_view', ''],
      ['2024-01-28T10:30:00.512Z', 'user_20', 'https://example.com/home', 'session_start', ''],
      ['2024-01-28T10:25:01.012Z', 'user_5', 'https://example.com/cart', 'click', ''],
      ['2024-01-28T10:30:02.000Z', 'user_20', 'https://example.com/contact', 'session_end', ''],
    ])
  })
})

describe('a canonical click event', () => {
  const fine = { event_time: '2026-11-24T07:30:00Z', event_type: 'click', user_id: 'u' }
  const refused = (changes: object) => readOne({ ...fine, ...changes })['refused']

  test('needs no more than what happened, when, and who did it', () => {
    assert.equal(refused({}), undefined)
    assert.equal(refused({ event_type: undefined }), 'event_type-required')
    assert.equal(refused({ user_id: null }), 'user_id-required')
  })

  test('without a time of its own has that of its record', () => {
    const bytes = Buffer.from(JSON.stringify({ ...fine, event_time: undefined }))
    assert.equal(read(clickEvent, clickEventRules, bytes)[0]?.['refused'], 'event_time-required')
    const [row] = read(clickEvent, clickEventRules, recordOf(bytes), 'records')
    assert.deepEqual(pick(row, 'refused', 'event_time'), [undefined, '2026-11-24T07:30:00.000Z'])
  })

  test('is one of the known types, a purchase with its amount', () => {
    for (const event_type of CLICK_EVENT_TYPES) {
      assert.equal(refused({ event_type, amount: 1 }), undefined, event_type)
    }
    assert.equal(refused({ event_type: 'clik' }), 'event_type-one-of')
    assert.equal(refused({ event_type: 'purchase' }), 'purchase-has-amount')
    assert.equal(refused({ event_type: 'purchase', amount: 0 }), undefined)
  })

  test('cannot ruin a sum or fill the memory', () => {
    assert.equal(refused({ amount: -0.01 }), 'amount-range')
    assert.equal(refused({ amount: 1e9 }), undefined)
    assert.equal(refused({ amount: 1e12 }), 'amount-range')
    assert.equal(refused({ page_url: '/'.repeat(8192) }), undefined)
    assert.equal(refused({ page_url: '/'.repeat(8193) }), 'page_url-length')
    assert.equal(refused({ user_id: 'é'.repeat(129) }), 'user_id-length')
    assert.equal(refused({ device: 'toaster' }), 'device-one-of')
  })

  test('keeps what nobody asked about', () => {
    assert.equal(readOne({ ...fine, campaign: 'x', deep: { a: [1] } })['props'], '{"campaign":"x","deep":{"a":[1]}}')
  })

  test('has rules and columns that a plan accepts', () => {
    const query = stream(logSource('events'), clickEvent, { rules: clickEventRules })
      .withWatermark('event_time', '1s')
      .window(tumbling('1m'))
      .aggregate({ n: count() })
    assert.deepEqual(checkPlan(pipeline('p').query('q', query)), [])
  })
})

type ReadRow = Readonly<Record<string, string | undefined>>

/** Rows as text by column name, with the reason in `refused` when the decoder or a rule refuses it. */
function read(
  schema: Schema | undefined,
  rules: readonly Rule[],
  bytes: Uint8Array,
  framing: EncodedRecords['framing'] = 'newline',
): ReadRow[] {
  assert.ok(schema)
  const batch = decode(schema, bytes, framing)
  const validator = new Validator(schema.fields, rules)
  const broken = validator.check(batch)
  return Array.from({ length: batch.rowCount }, (_, row) => {
    const wrong = batch.status[row] === RowStatus.fine ? undefined : `${batch.fields[batch.errorField[row] ?? 0]?.name}`
    const cells = schema.fields.map((field, index) => {
      const column = batch.columns[index]
      return [field.name, column === undefined ? undefined : cellText(column, field, row)]
    })
    const rule = validator.rules[(broken[row] ?? 0) - 1]?.name
    return { ...Object.fromEntries(cells), refused: wrong ?? rule }
  })
}

function decode(schema: Schema, bytes: Uint8Array, framing: EncodedRecords['framing']): Batch {
  const decoder = createScalarDecoder({
    fields: schema.fields,
    knownMembers: new Set(schema.fields.filter((field) => !field.rest).map((field) => field.from ?? field.name)),
    hashSeed: 1,
    dictionaryEntriesMax: 1000,
  })
  const recordCount = framing === 'records' ? 1 : bytes.filter((byte) => byte === 10).length + 1
  const baseTimestamp = framing === 'records' ? Date.parse('2026-11-24T07:30:00Z') : Number.NaN
  return decoder.decode({ framing, bytes, baseOffset: 0, endOffset: recordCount, recordCount, baseTimestamp })
}

/** One record of a Kafka record batch: length, attributes, timestamp and offset deltas, no key, the value, no headers. */
function recordOf(value: Uint8Array): Uint8Array {
  const body = [0, 0, 0, 1, ...varint(value.length), ...value, 0]
  return Uint8Array.from([...varint(body.length), ...body])
}

/** A zigzag varint of a number from 0 to 8191. */
function varint(value: number): number[] {
  const zigzag = value * 2
  return zigzag < 128 ? [zigzag] : [(zigzag & 127) | 128, zigzag >> 7]
}

function readOne(event: object): ReadRow {
  return read(clickEvent, clickEventRules, Buffer.from(JSON.stringify(event)))[0] ?? {}
}

function columns(name: string, ...names: string[]): (string | undefined)[][] {
  const dialect = dialects.get(name)
  return read(dialect?.schema, dialect?.rules ?? [], fixture(name)).map((row) => pick(row, ...names))
}

function pick(row: ReadRow | undefined, ...names: string[]): (string | undefined)[] {
  return names.map((name) => row?.[name])
}

function namesOf(schema: Schema): string[] {
  return schema.fields.map((field) => field.name)
}
