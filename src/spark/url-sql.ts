import { sqlText } from './sql.ts'

/*
 * Parts of URLs by RFC 3986, as the engine splits them. Spark's own parse_url goes by Java's URI, which refuses and decodes.
 */

const SCHEME = '(?:[A-Za-z][A-Za-z0-9+.-]*:)?//'

/** Host in lower case, without port and user; null when there is none. */
export function urlHostSql(url: string): string {
  const host = `^${SCHEME}(?:[^/?#]*@)?(\\[[^\\]/?#]*\\]|[^:/?#]*)`
  return `lower(nullif(regexp_extract(${url}, ${sqlText(host)}, 1), ''))`
}

/** Path as it is written; `/` when a host stands alone. */
export function urlPathSql(url: string): string {
  const path = `regexp_extract(${url}, ${sqlText(`^(?:${SCHEME}[^/?#]*)?([^?#]*)`)}, 1)`
  return `CASE WHEN ${path} = '' AND ${url} RLIKE ${sqlText(`^${SCHEME}`)} THEN '/' ELSE ${path} END`
}

/** Value of the first parameter of this name as it is written; empty without a `=`, null when there is none. */
export function urlParamSql(url: string, name: string): string {
  const query = `concat('&', regexp_extract(${url}, ${sqlText('^[^?#]*\\?([^#]*)')}, 1))`
  const literal = name.replaceAll(/[!-/:-@[-`{-~]/g, '\\$&')
  const found = `${query} RLIKE ${sqlText(`&${literal}(=|&|\\z)`)}`
  return `CASE WHEN ${found} THEN regexp_extract(${query}, ${sqlText(`&${literal}(?:=([^&]*))?(?:&|\\z)`)}, 1) END`
}
