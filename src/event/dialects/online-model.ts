import { defineSchema, type FieldSpec, int64, text, timestamp } from '../../batch/schema.ts'
import { oneOf } from '../../plan/rule.ts'
import { type ClickEventFields, clickEventFields, limitRules, purchaseHasAmount } from '../click-event.ts'
import type { Dialect } from '../dialect.ts'

/** Users are numbers in this system. */
export type OnlineModelFields = Omit<ClickEventFields, 'user_id'> & { readonly user_id: FieldSpec<number> }

/** Clicks and purchases that an online model learns from: `url`, `action`, and `timestamp` in seconds since 1970. (A6, A7) */
export const onlineModel: Dialect<OnlineModelFields> = Object.freeze({
  name: 'online-model',
  description: 'clicks and purchases of a site, for an online purchase model',
  schema: defineSchema({
    ...clickEventFields,
    event_time: timestamp({ from: 'timestamp', format: 'epoch-s', required: true, orRecordTime: true }),
    event_type: text({ from: 'action', required: true }),
    user_id: int64({ required: true }),
    page_url: text({ from: 'url' }),
  }),
  rules: [oneOf('event_type', ['click', 'view', 'scroll', 'purchase']), purchaseHasAmount, ...limitRules],
})
