import { decimal, defineSchema, text } from '../../batch/schema.ts'
import { oneOf } from '../../plan/rule.ts'
import { type ClickEventFields, clickEventFields, limitRules, purchaseHasAmount } from '../click-event.ts'
import type { Dialect } from '../dialect.ts'

/**
 * Web events for page, country and session metrics: `page`, and `revenue` on purchases. What is put into the cart is
 * `add_to_cart` here, `cart_add` elsewhere. (B2, B14)
 */
export const pageGeoSessions: Dialect<ClickEventFields> = Object.freeze({
  name: 'page-geo-sessions',
  description: 'web events with page, country and browser, for page, geo and session metrics',
  schema: defineSchema({
    ...clickEventFields,
    page_url: text({ from: 'page' }),
    amount: decimal(2, { from: 'revenue' }),
  }),
  rules: [oneOf('event_type', ['page_view', 'click', 'add_to_cart', 'purchase']), purchaseHasAmount, ...limitRules],
})
