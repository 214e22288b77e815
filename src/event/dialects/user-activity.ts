import { oneOf } from '../../plan/rule.ts'
import { type ClickEventFields, clickEvent, limitRules } from '../click-event.ts'
import type { Dialect } from '../dialect.ts'

/** Page views, clicks and the ends of sessions, under the canonical names. (E2) */
export const userActivity: Dialect<ClickEventFields> = Object.freeze({
  name: 'user-activity',
  description: 'page views, clicks and session marks, for views, active users and sessions',
  schema: clickEvent,
  rules: [oneOf('event_type', ['page_view', 'click', 'session_start', 'session_end']), ...limitRules],
})
