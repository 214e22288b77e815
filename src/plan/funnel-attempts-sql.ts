import type { FunnelNode } from './node.ts'

/*
 * Attempts as SQL. Given the rows in order (`placed`: who, ms, place, s1, s2, ... whether the row is step 1, 2, ...):
 *
 *   events      rows that matter, with the place of the row behind each that is step 1, 2, ...: n1, n2, ...; of the first one behind it that can
 *               begin an attempt (next); and of the first such one when an attempt that began here would be over (passed)
 *   beginnings  what an attempt from each row that can begin one would come to: a1, a2, ... the places of its steps, null where it did not get;
 *               and where the next attempt could begin (follows)
 *   attempts    from everybody's first beginning on, along `follows`
 *   done        a row for each step that was done: attempt, who, start, step, step_name, ms
 */

/** From `placed` to `done`. */
export function attemptsSql(funnel: FunnelNode): string {
  return `${funnel.mode === 'any' ? anyOrder(funnel) : inOrder(funnel)}, attempts as (
  select * from beginnings where place in (select min(place) from beginnings group by who)
  union all
  select beginnings.* from attempts join beginnings on beginnings.place = attempts.follows
), done as (
  ${funnel.mode === 'any' ? doneInAnyOrder(funnel) : doneInOrder(funnel)}
)`
}

/** Step 2 is the next row that is one behind step 1, and so on: a chain of joins. A strict one looks at the very next row only. */
function inOrder({ steps, withinMs, mode }: FunnelNode): string {
  const numbers = steps.map((_, index) => index + 1)
  const strict = mode === 'strict'
  const next = numbers.map((number) =>
    strict
      ? `case when lead(s${number}) over in_order then lead(place) over in_order end as n${number}`
      : `min(place) filter (s${number}) over later as n${number}`,
  )
  const joins = numbers.slice(1).map((number) => {
    const inTime = `e${number}.ms <= e1.ms + ${withinMs}`
    return `left join events e${number} on e${number}.place = e${number - 1}.n${number} and ${inTime}`
  })
  const last = `e${steps.length}`
  const lastDone = numbers.toReversed().map((number) => `when e${number}.place is not null then e${number}.next`)
  const follows = strict
    ? `case ${lastDone.join(' ')} end`
    : `case when ${last}.place is not null then ${last}.next else e1.passed end`
  return `events as (
  select *, ${next.join(', ')}, min(place) filter (s1) over later as next, min(place) filter (s1) over past as passed
  from placed ${strict ? '' : `where ${numbers.map((number) => `s${number}`).join(' or ')} `}${windows(withinMs)}
), beginnings as (
  select e1.who, e1.place, e1.ms as start, ${numbers.map((number) => `e${number}.place as a${number}`).join(', ')}, ${follows} as follows
  from events e1 ${joins.join(' ')} where e1.s1
)`
}

/** Every step is the first row that is one, from the beginning on. A row is the first step that it can be. */
function anyOrder({ steps, withinMs }: FunnelNode): string {
  const numbers = steps.map((_, index) => index + 1)
  const step = `case ${numbers.map((number) => `when s${number} then ${number}`).join(' ')} end`
  const next = numbers.map((number) => `min(place) filter (kind = ${number}) over later as n${number}`)
  const joins = numbers.map((number) => {
    const place = `case when b.kind = ${number} then b.place else b.n${number} end`
    return `left join events e${number} on e${number}.place = ${place} and e${number}.ms <= b.ms + ${withinMs}`
  })
  const places = numbers.map((number) => `e${number}.place`)
  const complete = places.map((place) => `${place} is not null`).join(' and ')
  return `kinds as (
  select *, ${step} as kind from placed
), events as (
  select *, ${next.join(', ')}, min(place) over later as next, min(place) over past as passed
  from kinds where kind is not null ${windows(withinMs)}
), beginnings as (
  select b.who, b.place, b.ms as start, ${numbers.map((number) => `e${number}.place as a${number}`).join(', ')},
    case when ${complete} then z.next else b.passed end as follows
  from events b ${joins.join(' ')} left join events z on z.place = greatest(${places.join(', ')})
)`
}

function windows(withinMs: number): string {
  return `window in_order as (partition by who order by place),
    later as (partition by who order by place rows between 1 following and unbounded following),
    past as (partition by who order by ms range between ${withinMs + 1} following and unbounded following)`
}

function doneInOrder({ steps }: FunnelNode): string {
  return doneSteps(steps, (number) => String(number))
}

/** Steps are numbered as they were done. */
function doneInAnyOrder({ steps }: FunnelNode): string {
  const places = `list_sort(list_filter([${steps.map((_, index) => `a${index + 1}`).join(', ')}], lambda a: a is not null))`
  return doneSteps(steps, (number) => `list_position(${places}, a${number})`)
}

function doneSteps(steps: FunnelNode['steps'], numberOf: (number: number) => string): string {
  const selects = steps.map(({ name }, index) => {
    const number = index + 1
    return `select attempts.place as attempt, attempts.who, start, ${numberOf(number)} as step, '${name}' as step_name, placed.ms
  from attempts join placed on placed.place = a${number}`
  })
  return selects.join('\n  union all ')
}
