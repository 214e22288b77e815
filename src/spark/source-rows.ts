import { unreachable } from '../base/assert.ts'
import { EVENT_BYTES_MAX, NESTING_DEPTH_MAX } from '../batch/batch.ts'
import type { Field } from '../batch/schema.ts'
import type { SourceSpec } from '../plan/connectors.ts'
import type { SourceNode } from '../plan/node.ts'
import type { Rule } from '../plan/rule.ts'
import { rowPropertyField } from '../plan/value-type.ts'
import { expressionSql } from './expression.ts'
import { memberFits, memberValue } from './member-value.ts'
import { filter, project, type Relation, readStream } from './relation.ts'
import { sqlName, sqlText } from './sql.ts'

/** How Spark is to read a source. */
export interface ReadSettings {
  /** Brokers as the cluster reaches them, HOST:PORT,...; for topics. */
  readonly bootstrapServers?: string
  /** Files that one micro-batch reads at most. */
  readonly filesPerTriggerMax?: number
  /** Records of a topic that one micro-batch reads at most. */
  readonly rowsPerTriggerMax?: number
}

/**
 * Name of the text of an event, of its members, of its values, and of what from_json says it could not read. Members and values come out of
 * an `explode` of one: Spark moves conditions on columns of a projection in front of it and computes the columns for each of them again, but
 * not through that.
 */
const TEXT = '$text'
const MEMBERS = '$members'
const ROW = '$row'
const CORRUPT = '$corrupt'

/**
 * Rows of a source with the columns in `fields`: what the engine would not accept as an event is gone. Documents are taken apart into
 * values that know their JSON type (VARIANT), since typed reading takes texts for numbers and numbers for texts.
 */
export function sourceRows(node: SourceNode, fields: readonly Field[], settings: ReadSettings): Relation {
  const texts = filter(readTexts(node.source, settings), oneDocument(sqlName(TEXT)))
  const kept = PROPERTIES.map((property) => sqlName(rowPropertyField(property).name))
  const taken = project(texts, sqlName(TEXT), `explode(array(${membersSql(fields)})) AS ${sqlName(MEMBERS)}`, ...kept)
  const documents = filter(taken, `${sqlName(MEMBERS)} IS NOT NULL AND ${member(CORRUPT)} IS NULL`)
  const known = node.schema.fields.map(originOf)
  const values = fields.map((field) => `${valueSql(field, known)} AS ${sqlName(field.name)}`)
  const row = `explode(array(struct(${values.join(', ')}))) AS ${sqlName(ROW)}`
  const rows = project(documents, row, sqlName(MEMBERS), ...kept)
  const fits = fields.flatMap((field) => (field.rest ? [] : [memberFits(member(originOf(field)), value(field.name))]))
  const timed = project(filter(rows, all(fits)), ...fields.map(orRecordTime), ...kept)
  const required = fields.filter((field) => field.required).map(({ name }) => `${sqlName(name)} IS NOT NULL`)
  return filter(timed, all([...required, ...node.rules.map((rule) => ruleSql(rule, fields))]))
}

function all(conditions: readonly string[]): string {
  return conditions.length === 0 ? 'true' : conditions.join(' AND ')
}

function orRecordTime({ name, orRecordTime: takes }: Field): string {
  const own = takes ? `coalesce(${value(name)}, ${sqlName(rowPropertyField('record_time').name)})` : value(name)
  return `${own} AS ${sqlName(name)}`
}

/** A field of a row as it was read. */
function value(name: string): string {
  return `${sqlName(ROW)}.${sqlName(name)}`
}

const PROPERTIES = ['partition', 'offset', 'record_time', 'processing_time', 'late'] as const

function readTexts(source: SourceSpec, settings: ReadSettings): Relation {
  const name = (property: (typeof PROPERTIES)[number]): string => sqlName(rowPropertyField(property).name)
  const clock = `date_trunc('MILLISECOND', current_timestamp()) AS ${name('processing_time')}`
  // Spark counts late rows, but does not say which they are.
  const late = `CAST(NULL AS BOOLEAN) AS ${name('late')}`
  switch (source.kind) {
    case 'log':
      return project(
        readStream('kafka', kafkaOptions(source, settings)),
        `CAST(value AS STRING) AS ${sqlName(TEXT)}`,
        `CAST(partition AS BIGINT) AS ${name('partition')}`,
        `offset AS ${name('offset')}`,
        `date_trunc('MILLISECOND', timestamp) AS ${name('record_time')}`,
        clock,
        late,
      )
    case 'file':
      return project(
        readStream('text', fileOptions(settings), source.paths),
        `value AS ${sqlName(TEXT)}`,
        `CAST(NULL AS BIGINT) AS ${name('partition')}`,
        `CAST(NULL AS BIGINT) AS ${name('offset')}`,
        `CAST(NULL AS TIMESTAMP) AS ${name('record_time')}`,
        clock,
        late,
      )
    default:
      return unreachable(source)
  }
}

function kafkaOptions(
  source: Extract<SourceSpec, { kind: 'log' }>,
  { bootstrapServers = '', rowsPerTriggerMax }: ReadSettings,
): Record<string, string> {
  return {
    'kafka.bootstrap.servers': bootstrapServers,
    subscribe: source.topic,
    ...(source.fromTimeMs === undefined
      ? { startingOffsets: source.from }
      : { startingTimestamp: String(source.fromTimeMs) }),
    ...(rowsPerTriggerMax !== undefined && { maxOffsetsPerTrigger: String(rowsPerTriggerMax) }),
  }
}

function fileOptions({ filesPerTriggerMax }: ReadSettings): Record<string, string> {
  return {
    // A carriage return alone is no end of a line.
    lineSep: '\n',
    ...(filesPerTriggerMax !== undefined && { maxFilesPerTrigger: String(filesPerTriggerMax) }),
  }
}

/*
 * Groups are possessive (`*+`): Java's patterns go one call deeper for each turn of another group, and a long text would end the query.
 */
const STRING = '"(?:[^"\\\\]++|\\\\.)*+"'
/** Escaped halves of surrogates come in pairs. */
const PAIRED = '(?s)^(?:[^\\\\]++|\\\\[^u]|\\\\u(?![dD][89a-fA-F])|\\\\u[dD][89abAB]..\\\\u[dD][c-fC-F])*+\\z'

/**
 * True for a text that may be a document: valid UTF-8 without half a surrogate pair, not too large, nothing behind it, not too deep. from_json reads no further than the first
 * document, but an array around the text and another element ends early when there is more than one value.
 */
function oneDocument(text: string): string {
  // Whole bytes: translate() would go through all texts character by character.
  const opened = `octet_length(${text}) - octet_length(replace(replace(${text}, '[', ''), '{', ''))`
  const structure = `regexp_replace(regexp_replace(${text}, ${sqlText(STRING)}, ''), ${sqlText('[^\\[\\]{}]')}, '')`
  const deepest =
    `aggregate(split(${structure}, ''), struct(0 AS level, 0 AS deepest), (state, bracket) -> ` +
    `struct(state.level + CASE WHEN bracket IN ('[', '{') THEN 1 WHEN bracket = '' THEN 0 ELSE -1 END AS level, ` +
    `greatest(state.deepest, state.level) AS deepest), state -> state.deepest)`
  return [
    `is_valid_utf8(${text})`,
    `octet_length(${text}) <= ${EVENT_BYTES_MAX}`,
    `(NOT contains(${text}, ${sqlText('\\u')}) OR ${text} RLIKE ${sqlText(PAIRED)})`,
    `json_array_length(concat('[', ${text}, ',0]')) = 2`,
    `(${opened} <= ${NESTING_DEPTH_MAX} OR ${deepest} <= ${NESTING_DEPTH_MAX})`,
  ].join(' AND ')
}

function membersSql(fields: readonly Field[]): string {
  const members = [...fields.filter(({ rest }) => !rest).map((field) => `${sqlName(originOf(field))} VARIANT`)]
  const schema = [...members, `${sqlName(CORRUPT)} STRING`].join(', ')
  const options = `map('columnNameOfCorruptRecord', '${CORRUPT}', 'allowSingleQuotes', 'false', 'allowNonNumericNumbers', 'false')`
  return `from_json(${sqlName(TEXT)}, ${sqlText(schema)}, ${options})`
}

function valueSql(field: Field, known: readonly string[]): string {
  if (!field.rest) return memberValue(field, member(originOf(field)))
  const names = known.map(sqlText).join(', ')
  const others = `map_filter(from_json(${sqlName(TEXT)}, 'MAP<STRING, VARIANT>'), (name, value) -> name NOT IN (${names}))`
  return `nullif(to_json(${others}), '{}')`
}

function originOf({ name, from }: Field): string {
  return from ?? name
}

function member(name: string): string {
  return `${sqlName(MEMBERS)}.${sqlName(name)}`
}

/** True for rows that do not break the rule. */
function ruleSql(rule: Rule, fields: readonly Field[]): string {
  const column = sqlName(rule.column)
  switch (rule.kind) {
    case 'required': {
      if (!rule.when) return `${column} IS NOT NULL`
      const operand = { kind: 'column', name: rule.when.column } as const
      const applies = expressionSql({ kind: 'in', operand, values: rule.when.values }, fields)
      return `(${column} IS NOT NULL OR NOT coalesce(${applies}, false))`
    }
    case 'one-of':
      return `coalesce(${column} IN (${rule.values.map(sqlText).join(', ')}), true)`
    case 'range': {
      const low = rule.min === undefined ? [] : [`${column} >= ${rule.min}`]
      const high = rule.max === undefined ? [] : [`${column} <= ${rule.max}`]
      return `coalesce(${[...low, ...high, 'true'].join(' AND ')}, true)`
    }
    case 'length':
      return `coalesce(octet_length(${column}) <= ${rule.bytesMax}, true)`
    default:
      return unreachable(rule)
  }
}
