import {
  approxCountDistinct,
  clickEvent,
  clickEventRules,
  count,
  countDistinct,
  logSource,
  type Pipeline,
  pipeline,
  type Query,
  session,
  sliding,
  stream,
  sum,
  tumbling,
} from '../../src/index.ts'

const events = stream(logSource('events'), clickEvent, { rules: clickEventRules }).withWatermark(
  'event_time',
  '2 minutes',
  { maxClockSkew: null },
)

/** The queries that performance is judged by. */
export const QUERIES: Readonly<Record<string, Query>> = {
  tumbling: events
    .groupBy('page_url')
    .window(tumbling('1 minute'))
    .aggregate({ events: count(), revenue: sum('amount'), users: approxCountDistinct('user_id') }),
  sliding: events.window(sliding('5 minutes', '1 minute')).aggregate({ users: countDistinct('user_id') }),
  sessions: events
    .groupBy('user_id')
    .window(session('30 minutes'))
    .aggregate({ events: count(), revenue: sum('amount') }),
}

/** A pipeline of some of them. */
export function pipelineOf(names: readonly string[]): Pipeline {
  let made = pipeline('bench')
  for (const name of names) made = made.query(name, QUERIES[name] as Query)
  return made
}

/** Users in the last five minutes, by windows of one length with one slide. */
export function slidingPipeline(size: string, slide: string): Pipeline {
  return pipeline('bench').query(
    'sliding',
    events.window(sliding(size as '5 minutes', slide as '1 minute')).aggregate({ users: countDistinct('user_id') }),
  )
}
