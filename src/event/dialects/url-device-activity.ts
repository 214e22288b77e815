import { defineSchema, text, timestamp } from '../../batch/schema.ts'
import { oneOf } from '../../plan/rule.ts'
import { type ClickEventFields, clickEventFields, limitRules } from '../click-event.ts'
import type { Dialect } from '../dialect.ts'

/** What users do on pages: `url`, `action`, and a `timestamp` that has no offset and is read as UTC. (C1, C2) */
export const urlDeviceActivity: Dialect<ClickEventFields> = Object.freeze({
  name: 'url-device-activity',
  description: 'actions on pages by user, device and browser, for popularity and activity',
  schema: defineSchema({
    ...clickEventFields,
    event_time: timestamp({ from: 'timestamp', required: true, orRecordTime: true }),
    event_type: text({ from: 'action', required: true }),
    page_url: text({ from: 'url' }),
  }),
  rules: [oneOf('event_type', ['click', 'view', 'scroll', 'hover']), ...limitRules],
})
