import { FIELD_NAME, type Field, type FieldType } from '../batch/schema.ts'
import type { SourceNode } from './node.ts'
import { badName, nameTaken, type PlanProblem, shown, TakenNames, unknownColumn, wrongType } from './plan-problem.ts'
import type { Rule, RuleCondition } from './rule.ts'
import { timeZoneExists } from './time-zone-exists.ts'
import { DECIMAL_SCALE_MAX } from './value-type.ts'

/** Columns that a schema may have. */
const COLUMNS_MAX = 64
/** Rules that a source may have. */
const RULES_MAX = 64

/** Types that can be added up. */
export const NUMERIC_TYPES: readonly FieldType[] = ['decimal', 'float64', 'int64', 'int32']

const RULE_NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,62}$/
const TOPIC = /^[A-Za-z0-9._-]{1,249}$/

/** Everything wrong with a source: where it reads, the schema it decodes by, the rules it checks. */
export function checkSource(node: SourceNode, path: string): PlanProblem[] {
  return [
    ...checkConnector(node, `${path}.source`),
    ...checkSchema(node.schema.fields, `${path}.schema`),
    ...checkRules(node.rules, node.schema.fields, `${path}.rules`),
  ]
}

function checkConnector({ source }: SourceNode, path: string): PlanProblem[] {
  if (source.kind === 'log') {
    const fine = TOPIC.test(source.topic) && source.topic !== '.' && source.topic !== '..'
    const hint = 'use letters, digits, ".", "_" and "-", 249 characters at most'
    if (fine && Number.isNaN(source.fromTimeMs)) {
      return [{ path, message: 'it starts at a time that is none', hint: 'check the Date that is given as `from`' }]
    }
    return fine ? [] : [{ path, message: `"${shown(source.topic)}" is not a topic name`, hint }]
  }
  const hint = 'name a file, a pattern such as "logs/*.ndjson.gz", or "-" for standard input'
  if (source.paths.length === 0) return [{ path, message: 'there is no file to read', hint }]
  return source.paths.includes('') ? [{ path, message: 'a path is empty', hint }] : []
}

function checkSchema(fields: readonly Field[], path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (fields.length === 0 || fields.length > COLUMNS_MAX) {
    const hint = `declare 1 to ${COLUMNS_MAX} columns, and collect the rest with json({ rest: true })`
    problems.push({ path, message: `the schema has ${fields.length} columns`, hint })
  }
  const names = new TakenNames()
  const origins = new Map<string, string>()
  const rests = fields.filter((field) => field.rest)
  for (const field of fields) {
    const at = `${path}.${shown(field.name)}`
    if (!FIELD_NAME.test(field.name)) problems.push(badName(at, field.name))
    if (!names.take(field.name)) problems.push(nameTaken(at, 'column', field.name))
    const origin = field.from ?? field.name
    const other = field.rest ? undefined : origins.get(origin)
    if (other !== undefined && other !== field.name) {
      const message = `"${shown(other)}" and "${shown(field.name)}" both read the member "${shown(origin)}"`
      problems.push({ path: at, message, hint: 'read each member of the JSON object into one column' })
    }
    if (!field.rest) origins.set(origin, field.name)
    problems.push(...checkField(field, at))
  }
  if (rests.length > 1) {
    const message = `${rests.length} columns collect the rest`
    problems.push({ path, message, hint: 'let one column have json({ rest: true })' })
  }
  return problems
}

/** Options that only columns of one type have. */
const OPTION_TYPES: Readonly<Partial<Record<keyof Field, FieldType>>> = {
  cardinality: 'string',
  scale: 'decimal',
  format: 'timestamp',
  timeZone: 'timestamp',
  orRecordTime: 'timestamp',
  rest: 'json',
}

function checkField(field: Field, path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  for (const [option, type] of Object.entries(OPTION_TYPES)) {
    if (!Object.hasOwn(field, option) || field.type === type) continue
    const message = `a column of type ${field.type} has no ${option}`
    problems.push({ path, message, hint: `leave ${option} out; it belongs to ${type}` })
  }
  if (field.type === 'decimal') {
    const { scale } = field
    if (scale === undefined || !Number.isInteger(scale) || scale < 0 || scale > DECIMAL_SCALE_MAX) {
      const hint = `use a whole number from 0 to ${DECIMAL_SCALE_MAX}, such as 2 for money`
      problems.push({ path, message: `a decimal with ${scale ?? 'no'} digits after the point`, hint })
    }
  }
  if (field.timeZone !== undefined && !timeZoneExists(field.timeZone)) {
    const message = `"${shown(field.timeZone)}" is not a time zone`
    problems.push({ path, message, hint: 'use an IANA name such as "Europe/Paris" or "UTC"' })
  }
  return problems
}

function checkRules(rules: readonly Rule[], fields: readonly Field[], path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  if (rules.length > RULES_MAX) {
    problems.push({ path, message: `there are ${rules.length} rules`, hint: `keep to ${RULES_MAX}` })
  }
  const names = new TakenNames()
  for (const rule of rules) {
    const at = `${path}.${shown(rule.name)}`
    if (!RULE_NAME.test(rule.name)) {
      const hint = 'use letters, digits, "-", "_" and ".", 63 characters at most'
      problems.push({ path: at, message: `"${shown(rule.name)}" is not a name for a rule`, hint })
    }
    if (!names.take(rule.name)) problems.push(nameTaken(at, 'rule', rule.name))
    problems.push(...checkRule(rule, fields, at))
  }
  return problems
}

const RULE_TYPES: Readonly<Record<Exclude<Rule['kind'], 'required'>, readonly FieldType[]>> = {
  'one-of': ['string'],
  range: NUMERIC_TYPES,
  length: ['string'],
}

function checkRule(rule: Rule, fields: readonly Field[], path: string): PlanProblem[] {
  const problems: PlanProblem[] = []
  const field = fields.find((one) => one.name === rule.column)
  if (!field) {
    problems.push(unknownColumn(path, rule.column, fields))
  } else if (rule.kind !== 'required' && !RULE_TYPES[rule.kind].includes(field.type)) {
    const message = `the rule ${rule.kind} of "${field.name}", which is ${field.type}`
    problems.push(wrongType(path, message, RULE_TYPES[rule.kind], fields))
  }
  if (rule.kind === 'required' && rule.when) problems.push(...checkRuleCondition(rule.when, fields, path))
  if (rule.kind === 'one-of' && rule.values.length === 0) {
    problems.push({ path, message: 'the rule allows no value at all', hint: 'list the values that are fine' })
  }
  if (rule.kind === 'length' && !(Number.isInteger(rule.bytesMax) && rule.bytesMax > 0)) {
    problems.push({ path, message: `at most ${rule.bytesMax} bytes`, hint: 'use a whole number above 0' })
  }
  if (rule.kind === 'range' && !rangeHolds(rule)) {
    const message = `the rule allows ${rule.min ?? 'anything'} to ${rule.max ?? 'anything'}`
    problems.push({ path, message, hint: 'give a finite min or max, and min no larger than max' })
  }
  return problems
}

function rangeHolds({ min, max }: { readonly min?: number; readonly max?: number }): boolean {
  if (min === undefined && max === undefined) return false
  return [min ?? 0, max ?? 0].every(Number.isFinite) && (min === undefined || max === undefined || min <= max)
}

function checkRuleCondition(when: RuleCondition, fields: readonly Field[], path: string): PlanProblem[] {
  const field = fields.find((one) => one.name === when.column)
  if (!field) return [unknownColumn(path, when.column, fields)]
  if (field.type !== 'string') {
    return [wrongType(path, `the rule depends on "${field.name}", which is ${field.type}`, ['string'], fields)]
  }
  const fine = when.values.length > 0 && when.values.every((value) => typeof value === 'string')
  const message = `the rule depends on "${field.name}" being one of ${shown(JSON.stringify(when.values))}`
  return fine ? [] : [{ path, message, hint: 'list the texts for which the rule holds, one at least' }]
}
