import { decimal, defineSchema, text, timestamp } from '../../batch/schema.ts'
import { oneOf } from '../../plan/rule.ts'
import { type ClickEventFields, clickEventFields, limitRules, purchaseHasAmount } from '../click-event.ts'
import type { Dialect } from '../dialect.ts'

/**
 * Logins, views, clicks, carts, searches and purchases of a shop: `page`, `location`, `total_amount`. What only one type of
 * event has and the canonical event lacks (login method, order lines, positions) is in `props`. (D2)
 */
export const ecommerce: Dialect<ClickEventFields> = Object.freeze({
  name: 'ecommerce',
  description: 'shop events from login to purchase, for monitoring',
  schema: defineSchema({
    ...clickEventFields,
    event_time: timestamp({ from: 'timestamp', required: true, orRecordTime: true }),
    page_url: text({ from: 'page' }),
    country: text({ from: 'location' }),
    amount: decimal(2, { from: 'total_amount' }),
  }),
  rules: [
    oneOf('event_type', ['user_login', 'page_view', 'item_click', 'purchase', 'cart_add', 'search']),
    oneOf('device', ['mobile', 'desktop', 'tablet']),
    purchaseHasAmount,
    ...limitRules,
  ],
})
