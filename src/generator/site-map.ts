/**
 * The shop that the generated visitors walk through. A page is a number:
 *
 *   0 home | 1 search | 2 cart | 3 checkout | 4 order complete | 5 account | content ... | categories ... | products ...
 *
 * Product `rank * CATEGORIES.length + category` is the one with popularity `rank` in its category.
 */
export const HOME = 0
export const SEARCH = 1
export const CART = 2
export const CHECKOUT = 3
export const COMPLETE = 4
export const ACCOUNT = 5

const FIXED_PATHS = ['/', '/search', '/cart', '/checkout', '/checkout/complete', '/account']
const CONTENT_PATHS = [
  '/about',
  '/shipping',
  '/returns',
  '/size-guide',
  '/magazine/spring',
  '/magazine/care',
  '/stores',
  '/help',
]

/** By falling popularity. */
export const CATEGORIES: readonly string[] = [
  'shoes',
  'jackets',
  'phones',
  'laptops',
  'headphones',
  'kitchen',
  'furniture',
  'toys',
  'books',
  'garden',
  'bikes',
  'outdoor',
]

/** Number of the first page of content. */
export const FIRST_CONTENT: number = FIXED_PATHS.length
/** Number of content pages. */
export const CONTENT_COUNT: number = CONTENT_PATHS.length
/** Number of the first category page. */
export const FIRST_CATEGORY: number = FIRST_CONTENT + CONTENT_COUNT
/** Number of the first product page. */
export const FIRST_PRODUCT: number = FIRST_CATEGORY + CATEGORIES.length

/** Where links to the shop itself begin. */
export const SITE = 'https://shop.example'

const NOUNS = ['trail', 'storm', 'pulse', 'nova', 'chef', 'oak', 'comet', 'atlas', 'meadow', 'ridge', 'swift', 'harbor']
const ADJECTIVES = ['classic', 'light', 'compact', 'bold', 'quiet', 'urban', 'alpine', 'smart', 'pure', 'vintage']

/** Paths of all pages, by page number. */
export function sitePaths(productsPerCategory: number): string[] {
  const paths = [...FIXED_PATHS, ...CONTENT_PATHS, ...CATEGORIES.map((category) => `/category/${category}`)]
  for (let product = 0; product < productsPerCategory * CATEGORIES.length; product++) {
    const adjective = ADJECTIVES[product % ADJECTIVES.length]
    const noun = NOUNS[Math.floor(product / ADJECTIVES.length) % NOUNS.length]
    paths.push(`/product/${categoryName(product)}/${adjective}-${noun}-${product}`)
  }
  return paths
}

/** A category's name in paths. */
export function categoryName(product: number): string {
  return CATEGORIES[product % CATEGORIES.length]
}

/** What a product costs, in cents: from 5 to about 900, most of them below 100. */
export function priceCents(product: number): number {
  const step = (product * 7919) % 1000
  return 499 + step * 12 + Math.floor((step * step * step) / 13_000) - (step % 10)
}

/** What visitors search for; some with quotes, accents and other scripts, as real ones do. */
export const SEARCH_QUERIES: readonly string[] = [
  'running shoes',
  'winter jacket',
  'usb-c cable',
  'laptop 14"',
  'noise cancelling headphones',
  'chef knife',
  'größe 42',
  'café table',
  'desk lamp',
  'lego',
  'garden hose 25 m',
  'phone case',
  '東京 guide',
  'crime novel',
  'mountain bike 29"',
  'tent 2 person',
  'rucksack',
  'niños',
  'gift under 50',
  'salad bowl',
]
