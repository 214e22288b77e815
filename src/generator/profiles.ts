import type { Profile } from './profile.ts'
import type { DamagedMembers, GeneratedType, Member, Shape } from './shape.ts'
import { SITE } from './site-map.ts'

const DAMAGED: DamagedMembers = {
  time: 'event_time',
  type: 'event_type',
  user: 'user_id',
  amount: 'amount',
  wrongUser: 12345,
}

const USER: Member = { name: 'user_id', value: { kind: 'user', prefix: 'user_' } }
const DEVICE: Member = { name: 'device', value: { kind: 'device' } }

const pageGeoSessions: Shape = {
  name: 'page-geo-sessions',
  members: [
    { name: 'event_time', value: { kind: 'time', suffix: '+00:00' } },
    USER,
    { name: 'session_id', value: { kind: 'session', prefix: 'sess_' } },
    { name: 'event_type', value: { kind: 'type' } },
    { name: 'page', value: { kind: 'page', site: '' } },
    { name: 'referrer', value: { kind: 'referrer', site: SITE } },
    DEVICE,
    { name: 'browser', value: { kind: 'browser' } },
    { name: 'country', value: { kind: 'country' } },
    { name: 'campaign', value: { kind: 'choice', values: ['"none"', '"none"', '"brand"', '"newsletter"'] } },
    { name: 'latency_ms', value: { kind: 'number', min: 20, max: 1500 } },
    { name: 'revenue', value: { kind: 'amount' }, nullable: true },
  ],
  types: typesOf('click', {
    page_view: 'page_view',
    view: 'page_view',
    search: 'page_view',
    session_start: 'page_view',
    cart_add: 'add_to_cart',
    purchase: 'purchase',
  }),
  damaged: { ...DAMAGED, amount: 'revenue' },
}

const urlDeviceActivity: Shape = {
  name: 'url-device-activity',
  members: [
    { name: 'event_id', value: { kind: 'event-id' } },
    USER,
    { name: 'url', value: { kind: 'page', site: '' } },
    { name: 'action', value: { kind: 'type' } },
    { name: 'timestamp', value: { kind: 'time', suffix: '' } },
    { name: 'session_id', value: { kind: 'session', prefix: '' } },
    DEVICE,
    { name: 'browser', value: { kind: 'browser', lowerCase: true } },
  ],
  types: typesOf('click', {
    page_view: 'view',
    view: 'view',
    session_start: 'view',
    scroll: 'scroll',
    hover: 'hover',
  }),
  damaged: { ...DAMAGED, time: 'timestamp', type: 'action' },
}

const ecommerce: Shape = {
  name: 'ecommerce',
  members: [
    { name: 'event_id', value: { kind: 'event-id' } },
    { name: 'event_type', value: { kind: 'type' } },
    USER,
    { name: 'timestamp', value: { kind: 'time', suffix: '+00:00' } },
    DEVICE,
    { name: 'location', value: { kind: 'country' } },
    { name: 'session_id', value: { kind: 'session', prefix: 'session_' } },
    {
      name: 'login_method',
      value: { kind: 'choice', values: ['"email"', '"google"', '"facebook"', '"sso"'] },
      of: ['user_login'],
    },
    { name: 'success', value: { kind: 'choice', values: ['true', 'true', 'true', 'false'] }, of: ['user_login'] },
    { name: 'page', value: { kind: 'page', site: '' }, of: ['page_view'] },
    { name: 'referrer', value: { kind: 'referrer', site: SITE }, of: ['page_view'] },
    { name: 'duration_seconds', value: { kind: 'duration-seconds' }, of: ['page_view'] },
    { name: 'order_id', value: { kind: 'order', prefix: 'order_' }, of: ['purchase'] },
    { name: 'items', value: { kind: 'item-list', prefix: 'item_' }, of: ['purchase'] },
    { name: 'quantities', value: { kind: 'quantity-list' }, of: ['purchase'] },
    { name: 'total_amount', value: { kind: 'amount' }, of: ['purchase'] },
    { name: 'currency', value: { kind: 'choice', values: ['"USD"'] }, of: ['purchase'] },
    {
      name: 'payment_method',
      value: { kind: 'choice', values: ['"credit_card"', '"paypal"', '"debit_card"'] },
      of: ['purchase'],
    },
    { name: 'item_id', value: { kind: 'item', prefix: 'item_' }, of: ['item_click', 'cart_add'] },
    { name: 'category', value: { kind: 'category' }, of: ['item_click', 'cart_add'] },
    { name: 'position', value: { kind: 'number', min: 1, max: 20 }, of: ['item_click'] },
    { name: 'quantity', value: { kind: 'quantity' }, of: ['cart_add'] },
    { name: 'price', value: { kind: 'item-price' }, of: ['cart_add'] },
    { name: 'search_query', value: { kind: 'search-query' }, of: ['search'] },
    { name: 'results_count', value: { kind: 'number', min: 0, max: 100 }, of: ['search'] },
    { name: 'clicked_position', value: { kind: 'number', min: 1, max: 10 }, of: ['search'] },
  ],
  types: typesOf('page_view', {
    click: 'item_click',
    item_click: 'item_click',
    search: 'search',
    cart_add: 'cart_add',
    purchase: 'purchase',
    user_login: 'user_login',
    session_start: 'user_login',
  }),
  damaged: { ...DAMAGED, time: 'timestamp', amount: 'total_amount' },
}

const userActivity: Shape = {
  name: 'user-activity',
  members: [
    { name: 'event_time', value: { kind: 'time', suffix: 'Z' } },
    USER,
    { name: 'page_url', value: { kind: 'page', site: SITE } },
    { name: 'event_type', value: { kind: 'type' } },
  ],
  types: typesOf('click', {
    page_view: 'page_view',
    view: 'page_view',
    search: 'page_view',
    session_start: 'session_start',
    session_end: 'session_end',
  }),
  damaged: DAMAGED,
}

const onlineModel: Shape = {
  name: 'online-model',
  members: [
    { name: 'user_id', value: { kind: 'user-number' } },
    { name: 'url', value: { kind: 'page', site: '' } },
    { name: 'action', value: { kind: 'type' } },
    { name: 'session_id', value: { kind: 'session', prefix: '' } },
    { name: 'timestamp', value: { kind: 'epoch-seconds' } },
    { name: 'amount', value: { kind: 'amount' } },
  ],
  types: typesOf('click', {
    page_view: 'view',
    view: 'view',
    session_start: 'view',
    scroll: 'scroll',
    purchase: 'purchase',
  }),
  damaged: { ...DAMAGED, time: 'timestamp', type: 'action', wrongUser: 'nobody' },
}

/** Traffic of the source systems by name, which is also that of dialect and preset. */
export const PROFILES: ReadonlyMap<string, Profile> = new Map(
  [
    { shape: onlineModel, settings: { partitions: 1 } },
    { shape: pageGeoSessions, settings: { partitions: 3, users: 5_000 } },
    { shape: urlDeviceActivity, settings: { users: 1_000, userZipfExponent: 0 }, rows: 10_000_000 },
    { shape: ecommerce, settings: {} },
    { shape: userActivity, settings: { partitions: 1, users: 20, lateFraction: 1 / 50 } },
  ].map((profile) => [profile.shape.name, profile]),
)

/** A system's name for each type of event; types that it has no name for are the one that is given first. */
function typesOf(otherwise: string, names: Partial<Record<GeneratedType, string>>): Shape['types'] {
  return {
    page_view: otherwise,
    click: otherwise,
    view: otherwise,
    scroll: otherwise,
    hover: otherwise,
    search: otherwise,
    cart_add: otherwise,
    purchase: otherwise,
    user_login: otherwise,
    item_click: otherwise,
    session_start: otherwise,
    session_end: otherwise,
    ...names,
  }
}
