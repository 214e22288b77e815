import { Random } from '../base/random.ts'
import { Partitioner } from '../log/partitioner.ts'
import { AliasTable, zipfWeights } from './alias-table.ts'
import {
  CART_ADD,
  CLEAN,
  type GeneratedEvent,
  ITEM_CLICK,
  NONE,
  PAGE_VIEW,
  PURCHASE,
  SEARCHED,
  SESSION_END,
  SESSION_START,
  VIEW,
} from './generated-event.ts'
import { mix32 } from './mix.ts'
import {
  ACTION_TYPES,
  ACTIONS,
  kindOf,
  LANDINGS,
  LINKS,
  LOOK_AT_CART,
  TO_ACCOUNT,
  TO_CATEGORY,
  TO_CONTENT,
  TO_HOME,
  TO_PRODUCT,
  TO_SEARCH,
} from './moves.ts'
import {
  ADDING,
  BROWSING,
  LANDED,
  OPENING,
  OPENING_TO_BUY,
  SessionPool,
  TO_CART,
  TO_CHECKOUT,
  TO_PURCHASE,
} from './session-pool.ts'
import type { GeneratorSettings } from './settings.ts'
import {
  ACCOUNT,
  CART,
  CATEGORIES,
  CHECKOUT,
  COMPLETE,
  CONTENT_COUNT,
  FIRST_CATEGORY,
  FIRST_CONTENT,
  FIRST_PRODUCT,
  HOME,
  priceCents,
  SEARCH,
  SEARCH_QUERIES,
} from './site-map.ts'
import { Timetable } from './timetable.ts'
import { USER_ID_BYTES, writeUserId } from './user-key.ts'
import { AGENTS, COUNTRIES, REFERRERS, weightsOf } from './visitors.ts'

/** Chance per event that a session says goodbye; most others are pushed out of the pool without a word. */
const LEAVE_PROBABILITY = 0.015
/** Chance at each step between cart and purchase that the visitor loses interest. */
const ABANDON_PROBABILITY = 0.12
/** Share of a visitor's moves that lead to another page; the others happen on the page. */
const NAVIGATE_PROBABILITY = 0.45
const DWELL_SECONDS_MAX = 1800

const QUANTITIES = new AliasTable([0, 80, 15, 5])

/**
 * The visitors of the shop, one event at a time: the clean sequence, before anything happens to events on their way.
 * Event `i` depends on the settings, the start time and `i` only.
 */
export class Traffic {
  readonly #settings: GeneratorSettings
  readonly #timetable: Timetable
  readonly #random: Random
  readonly #pool: SessionPool
  readonly #users: AliasTable
  /** 1 for users in the pool: nobody is in two sessions at once. */
  readonly #visiting: Uint8Array
  readonly #agents: AliasTable = new AliasTable(weightsOf(AGENTS))
  readonly #countries: AliasTable = new AliasTable(weightsOf(COUNTRIES))
  readonly #referrers: AliasTable = new AliasTable(weightsOf(REFERRERS))
  readonly #queries: AliasTable = new AliasTable(zipfWeights(SEARCH_QUERIES.length, 0.7))
  readonly #categories: AliasTable = new AliasTable(zipfWeights(CATEGORIES.length, 0.6))
  readonly #products: AliasTable
  readonly #partitioner: Partitioner
  readonly #key = new Uint8Array(USER_ID_BYTES)
  readonly #keyView = new DataView(this.#key.buffer)
  #events = 0
  #sessions = 0

  constructor(settings: GeneratorSettings, startTimeMs: number) {
    this.#settings = settings
    this.#timetable = new Timetable(settings, startTimeMs)
    this.#random = new Random(settings.seed)
    this.#pool = new SessionPool(Math.min(settings.activeSessionsMax, Math.ceil(settings.users / 2)))
    this.#users = new AliasTable(zipfWeights(settings.users, settings.userZipfExponent))
    this.#visiting = new Uint8Array(settings.users)
    this.#partitioner = new Partitioner(settings.partitions)
    this.#products = new AliasTable(zipfWeights(settings.productsPerCategory, 1))
  }

  /** Events made so far; the index of the next one. */
  get events(): number {
    return this.#events
  }

  /** When event `index` happens by the clock on the wall. */
  dueMs(index: number): number {
    return this.#timetable.dueMs(index)
  }

  /** Makes the next event, in `event`. */
  next(event: GeneratedEvent): void {
    event.index = this.#events
    event.timeMs = this.dueMs(this.#events)
    event.item = NONE
    event.quantity = 0
    event.amountCents = 0
    event.query = NONE
    event.durationSeconds = NONE
    event.plant = CLEAN
    this.#events++
    const pool = this.#pool
    if (pool.active === 0 || this.#random.chance(this.#settings.newSessionProbability)) this.#begin(event)
    else this.#extend(this.#random.below(pool.active), event)
  }

  #begin(event: GeneratedEvent): void {
    const pool = this.#pool
    const random = this.#random
    if (pool.active === pool.capacity) this.#end(random.below(pool.active))
    const user = this.#drawUser()
    const slot = pool.add()
    this.#visiting[user] = 1
    pool.user[slot] = user
    pool.session[slot] = this.#sessions++
    writeUserId(this.#keyView, 0, user)
    pool.partition[slot] = this.#partitioner.partitionOf(this.#key)
    const home = mix32(user ^ this.#settings.seed) // A user stays in one country.
    const country = this.#countries.at((home >>> 16) / 0x1_0000, (home & 0xffff) / 0x1_0000)
    pool.visitor[slot] = this.#agents.sample(random) * COUNTRIES.length + country
    pool.page[slot] = this.#target(LANDINGS.sample(random), NONE)
    pool.referrer[slot] = NONE - this.#referrers.sample(random)
    this.#describe(slot, SESSION_START, event)
  }

  #extend(slot: number, event: GeneratedEvent): void {
    const pool = this.#pool
    const random = this.#random
    const stage = pool.stage[slot]
    const { purchaseProbabilityBase, purchaseProbabilityScaling } = this.#settings
    if (stage !== BROWSING && !(stage >= TO_CART && random.chance(ABANDON_PROBABILITY))) {
      this.#continue(slot, stage, event)
    } else if (random.chance(purchaseProbabilityBase + purchaseProbabilityScaling * pool.events[slot])) {
      this.#setOutToBuy(slot, event)
    } else if (random.chance(LEAVE_PROBABILITY)) {
      this.#describe(slot, SESSION_END, event)
      this.#end(slot)
    } else {
      pool.stage[slot] = BROWSING
      this.#browse(slot, event)
    }
  }

  /** The next step of something that takes several. */
  #continue(slot: number, stage: number, event: GeneratedEvent): void {
    const pool = this.#pool
    switch (stage) {
      case LANDED:
        pool.stage[slot] = BROWSING
        this.#describe(slot, PAGE_VIEW, event)
        break
      case OPENING:
      case OPENING_TO_BUY:
        pool.stage[slot] = stage === OPENING ? BROWSING : ADDING
        this.#visit(slot, FIRST_PRODUCT + pool.item[slot], PAGE_VIEW, event)
        break
      case ADDING:
        pool.stage[slot] = TO_CART
        this.#act(slot, CART_ADD, event)
        break
      case TO_CART:
        pool.stage[slot] = TO_CHECKOUT
        this.#visit(slot, CART, PAGE_VIEW, event)
        break
      case TO_CHECKOUT:
        pool.stage[slot] = TO_PURCHASE
        this.#visit(slot, CHECKOUT, PAGE_VIEW, event)
        break
      default:
        pool.stage[slot] = BROWSING
        this.#visit(slot, COMPLETE, PURCHASE, event)
        this.#addItem(slot, event)
        event.amountCents = priceCents(event.item) * event.quantity
    }
  }

  /** Adds the product to the cart that the visitor looks at; elsewhere clicks on one first. */
  #setOutToBuy(slot: number, event: GeneratedEvent): void {
    const pool = this.#pool
    const onProduct = pool.page[slot] >= FIRST_PRODUCT
    this.#act(slot, onProduct ? CART_ADD : ITEM_CLICK, event)
    pool.stage[slot] = onProduct ? TO_CART : OPENING_TO_BUY
  }

  /** Follows a link, or does something on the page. */
  #browse(slot: number, event: GeneratedEvent): void {
    const kind = kindOf(this.#pool.page[slot])
    if (this.#random.chance(NAVIGATE_PROBABILITY)) this.#navigate(slot, kind, event)
    else this.#act(slot, ACTION_TYPES[ACTIONS[kind].sample(this.#random)], event)
  }

  #navigate(slot: number, kind: number, event: GeneratedEvent): void {
    const link = LINKS[kind].sample(this.#random)
    const page = this.#target(link, this.#pool.page[slot])
    this.#visit(slot, page, link === TO_SEARCH ? SEARCHED : PAGE_VIEW, event)
    if (link === TO_SEARCH) event.query = this.#queries.sample(this.#random)
  }

  /** The page that a link leads to. From a category or product, most links stay in the category. */
  #target(link: number, from: number): number {
    const random = this.#random
    switch (link) {
      case TO_SEARCH:
        return SEARCH
      case TO_CATEGORY:
        return FIRST_CATEGORY + this.#categories.sample(random)
      case TO_PRODUCT:
        return FIRST_PRODUCT + this.#drawProduct(from)
      case TO_CONTENT:
        return FIRST_CONTENT + random.below(CONTENT_COUNT)
      case TO_ACCOUNT:
        return ACCOUNT
      case LOOK_AT_CART:
        return CART
      default:
        return link === TO_HOME ? HOME : from
    }
  }

  #visit(slot: number, page: number, type: number, event: GeneratedEvent): void {
    const pool = this.#pool
    pool.referrer[slot] = pool.page[slot]
    pool.page[slot] = page
    this.#describe(slot, type, event)
  }

  /** Something done on the page where the visitor is. */
  #act(slot: number, type: number, event: GeneratedEvent): void {
    const pool = this.#pool
    const page = pool.page[slot]
    this.#describe(slot, type, event)
    if (type === ITEM_CLICK) {
      pool.item[slot] = this.#drawProduct(page)
      pool.stage[slot] = OPENING
      event.item = pool.item[slot]
    } else if (type === CART_ADD) {
      pool.item[slot] = page - FIRST_PRODUCT
      pool.quantity[slot] = QUANTITIES.sample(this.#random)
      this.#addItem(slot, event)
    } else if (type === VIEW) event.item = page - FIRST_PRODUCT
  }

  #addItem(slot: number, event: GeneratedEvent): void {
    event.item = this.#pool.item[slot]
    event.quantity = this.#pool.quantity[slot]
  }

  /** What every event of a session tells, and what the session remembers of it. */
  #describe(slot: number, type: number, event: GeneratedEvent): void {
    const pool = this.#pool
    event.type = type
    event.user = pool.user[slot]
    event.session = pool.session[slot]
    event.visitor = pool.visitor[slot]
    event.partition = pool.partition[slot]
    event.page = pool.page[slot]
    event.referrer = pool.referrer[slot]
    if (type === PAGE_VIEW || type === SESSION_END) {
      const dwellSeconds = Math.floor((event.timeMs - pool.lastTimeMs[slot]) / 1000)
      event.durationSeconds = Math.min(dwellSeconds, DWELL_SECONDS_MAX)
    }
    pool.lastTimeMs[slot] = event.timeMs
    pool.events[slot] = pool.events[slot] + 1
  }

  #end(slot: number): void {
    this.#visiting[this.#pool.user[slot]] = 0
    this.#pool.remove(slot)
  }

  /** By popularity among those who are away; at most half of all users visit at once, so there is one. */
  #drawUser(): number {
    let user = this.#users.sample(this.#random)
    for (let attempt = 0; this.#visiting[user] === 1 && attempt < 8; attempt++) user = this.#users.sample(this.#random)
    while (this.#visiting[user] === 1) user = (user + 1) % this.#settings.users
    return user
  }

  #drawProduct(from: number): number {
    const rank = this.#products.sample(this.#random)
    const category = categoryOf(from)
    return rank * CATEGORIES.length + (category === NONE ? this.#categories.sample(this.#random) : category)
  }
}

function categoryOf(page: number): number {
  if (page >= FIRST_PRODUCT) return (page - FIRST_PRODUCT) % CATEGORIES.length
  return page >= FIRST_CATEGORY ? page - FIRST_CATEGORY : NONE
}
