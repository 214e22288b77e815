import { nameHint, nearestName } from './nearest-name.ts'
import { type PlanProblem, shown } from './plan-problem.ts'

/**
 * Says what about a value from anywhere has not the shape of a T. Shapes are put together like the types they stand for, and
 * the compiler holds them to these: a member or a kind that a type gains and its shape lacks does not compile.
 */
export interface Shape<T> {
  (value: unknown, path: string, problems: PlanProblem[]): void
  /** Carries the type for the compiler only; never set. */
  readonly type?: T
}

/** A shape for each member of T. */
export type Members<T> = { readonly [K in keyof Required<T>]: Shape<T[K]> }

const TEXT_LENGTH_MAX = 10_000
const PROBLEMS_MAX = 100

/** Any text up to 10,000 characters, or up to so many. */
export function text(lengthMax: number = TEXT_LENGTH_MAX): Shape<string> {
  return (value, path, problems) => {
    if (typeof value !== 'string') report(problems, path, `a text is expected, this is ${typeName(value)}`)
    else if (value.length > lengthMax) report(problems, path, `a text of ${value.length} characters`)
  }
}

/** A finite number. */
export function number(): Shape<number> {
  return (value, path, problems) => {
    if (!Number.isFinite(value)) report(problems, path, `a number is expected, this is ${typeName(value)}`)
  }
}

/** true or false. */
export function truth(): Shape<boolean> {
  return (value, path, problems) => {
    if (typeof value !== 'boolean') report(problems, path, `true or false is expected, this is ${typeName(value)}`)
  }
}

/** A text, a finite number, true or false. */
export function scalar(): Shape<string | number | boolean> {
  return (value, path, problems) => {
    if (typeof value === 'string') text()(value, path, problems)
    else if (typeof value !== 'boolean' && !Number.isFinite(value)) {
      report(problems, path, `a text, a number, true or false is expected, this is ${typeName(value)}`)
    }
  }
}

/** One of a few words; `what` names the choice. */
export function word<const T extends string | number>(what: string, words: readonly T[]): Shape<T> {
  return (value, path, problems) => {
    if (!words.includes(value as T)) unsupported(what, value, words.map(String), path, problems)
  }
}

/** A list. */
export function list<T>(item: Shape<T>): Shape<readonly T[]> {
  return (value, path, problems) => {
    if (!Array.isArray(value)) return report(problems, path, `a list is expected, this is ${typeName(value)}`)
    for (const [index, one] of value.entries()) {
      if (problems.length >= PROBLEMS_MAX) return
      item(one, `${path}[${index}]`, problems)
    }
  }
}

/** What may be missing. */
export function optional<T>(shape: Shape<T>): Shape<T | undefined> {
  return (value, path, problems) => {
    if (value !== undefined) shape(value, path, problems)
  }
}

/** What may be null. */
export function nullable<T>(shape: Shape<T>): Shape<T | null> {
  return (value, path, problems) => {
    if (value !== null) shape(value, path, problems)
  }
}

/** A shape that is declared further down, or that contains itself. */
export function lazy<T>(shape: () => Shape<T>): Shape<T> {
  return (value, path, problems) => shape()(value, path, problems)
}

/** An object with these members and no others. */
export function object<T>(members: Members<T>): Shape<T> {
  return (value, path, problems) => {
    if (isObject(value)) checkMembers(value, members, path, problems)
    else report(problems, path, `an object is expected, this is ${typeName(value)}`)
  }
}

/** An object of one of several kinds, told by its member `kind`; `what` names the choice. */
export function kinds<T extends { readonly kind: string }>(what: string, shapes: Kinds<T>): Shape<T> {
  const known = Object.keys(shapes)
  return (value, path, problems) => {
    if (!isObject(value)) return report(problems, path, `a ${what} is expected, this is ${typeName(value)}`)
    const { kind, ...members } = value
    if (typeof kind !== 'string' || !known.includes(kind)) return unsupported(what, kind, known, path, problems)
    checkMembers(members, (shapes as Readonly<Record<string, AnyMembers>>)[kind] ?? {}, path, problems)
  }
}

type Kinds<T extends { readonly kind: string }> = {
  readonly [K in T['kind']]: Members<Omit<OfKind<T, K>, 'kind'>>
}

type OfKind<T extends { readonly kind: string }, K> = T extends unknown ? (K extends T['kind'] ? T : never) : never

type AnyMembers = Readonly<Record<string, Shape<unknown>>>

function checkMembers(
  value: Readonly<Record<string, unknown>>,
  members: AnyMembers,
  path: string,
  problems: PlanProblem[],
): void {
  const names = Object.keys(members)
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(members, name)) continue
    if (problems.length >= PROBLEMS_MAX) return
    report(problems, path, `there is no member "${shown(name)}" here`, nameHint(name, names))
  }
  for (const [name, shape] of Object.entries(members)) {
    const at = path === '' ? name : `${path}.${name}`
    const found = problems.length
    const member = value[name]
    shape(member, at, problems)
    // Only a missing value says itself what is wrong with it.
    if (member === undefined && problems.length > found) problems.splice(found, problems.length, missing(at))
  }
}

function missing(path: string): PlanProblem {
  return { path, message: 'it is missing', hint: HINT }
}

function unsupported(
  what: string,
  value: unknown,
  supported: readonly string[],
  path: string,
  problems: PlanProblem[],
): void {
  const given = typeof value === 'string' ? `"${shown(value)}"` : typeName(value)
  const nearest = typeof value === 'string' ? nearestName(value, supported) : undefined
  const guess = nearest === undefined ? '' : `did you mean "${nearest}"? `
  report(problems, path, `unsupported ${what} ${given}`, `${guess}supported: ${supported.join(', ')}`)
}

function typeName(value: unknown): string {
  if (value === null) return 'null'
  if (value === undefined) return 'missing'
  if (Array.isArray(value)) return 'a list'
  return typeof value === 'object' ? 'an object' : shown(String(value))
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

const HINT = '`millrace plan PIPELINE --json` prints a plan that has the right shape'

function report(problems: PlanProblem[], path: string, message: string, hint: string = HINT): void {
  if (problems.length < PROBLEMS_MAX) problems.push({ path: path === '' ? 'plan' : path, message, hint })
}
