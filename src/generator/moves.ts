/** What visitors who are not about to buy do next: links that they follow and things that they do on a page, by kind of page. */
import { AliasTable } from './alias-table.ts'
import { CART_ADD, CLICK, HOVER, ITEM_CLICK, SCROLL, USER_LOGIN, VIEW } from './generated-event.ts'
import { ACCOUNT, FIRST_CATEGORY, FIRST_PRODUCT, HOME, SEARCH } from './site-map.ts'

/** Where a link leads; which category, product or page of content is drawn apart. */
export const TO_HOME = 0
export const TO_SEARCH = 1
export const TO_CATEGORY = 2
export const TO_PRODUCT = 3
export const TO_CONTENT = 4
export const TO_ACCOUNT = 5
export const LOOK_AT_CART = 6

/** The links by which sessions enter the shop. */
export const LANDINGS: AliasTable = new AliasTable([45, 0, 25, 22, 8])

const LISTING = 0
const PRODUCT = 1
const OTHER = 2
const LOGIN = 3

/** The kind of a page: listing, product, login or other. An index into `LINKS` and `ACTIONS`. */
export function kindOf(page: number): number {
  if (page >= FIRST_PRODUCT) return PRODUCT
  if (page >= FIRST_CATEGORY || page === HOME || page === SEARCH) return LISTING
  return page === ACCOUNT ? LOGIN : OTHER
}

/** For each kind of page, how often each link is followed. */
export const LINKS: readonly AliasTable[] = [
  new AliasTable([6, 13, 30, 42, 4, 3, 2]),
  new AliasTable([9, 12, 28, 38, 4, 3, 6]),
  new AliasTable([30, 10, 35, 20, 5, 0, 0]),
  new AliasTable([50, 10, 30, 10, 0, 0, 0]),
]

/** Types of what is done on a page. */
export const ACTION_TYPES: readonly number[] = [SCROLL, CLICK, HOVER, VIEW, ITEM_CLICK, CART_ADD, USER_LOGIN]

/** For each kind of page, how often each of `ACTION_TYPES` is done; views and carts need a product, clicks on items a listing. */
export const ACTIONS: readonly AliasTable[] = [
  new AliasTable([35, 15, 10, 0, 40, 0, 0]),
  new AliasTable([36, 20, 15, 20, 0, 9, 0]),
  new AliasTable([60, 40, 0, 0, 0, 0, 0]),
  new AliasTable([10, 30, 0, 0, 0, 0, 60]),
]
