/*
 *   https://user@Shop.example:8080/cart?utm_source=mail#top
 *   scheme  authority             path  query           fragment
 *
 * Parts of URLs as RFC 3986 splits them (its appendix B), by plain scanning: nothing is decoded, resolved or refused. A URL
 * without a scheme has an authority when it begins with two slashes, else it is a path.
 */

/** Host in lower case, without port and user; null when there is none. IPv6 addresses keep their brackets. */
export function urlHost(url: string): string | null {
  const start = authorityStart(url)
  if (start < 0) return null
  const authority = url.slice(start, partEnd(url, start, '/?#'))
  const hostAndPort = authority.slice(authority.lastIndexOf('@') + 1)
  const bracket = hostAndPort.startsWith('[') ? hostAndPort.indexOf(']') + 1 : 0
  const host = hostAndPort.slice(0, bracket > 0 ? bracket : partEnd(hostAndPort, 0, ':'))
  return host === '' ? null : host.toLowerCase()
}

/** Path as it is written; `/` when an authority stands alone. */
export function urlPath(url: string): string {
  const authority = authorityStart(url)
  const start = authority < 0 ? 0 : partEnd(url, authority, '/?#')
  const path = url.slice(start, partEnd(url, start, '?#'))
  return path === '' && authority >= 0 ? '/' : path
}

/** Value of the first parameter of this name, as it is written; empty without a `=`, null when there is no such parameter. */
export function urlParam(url: string, name: string): string | null {
  const fragment = partEnd(url, 0, '#')
  const question = url.indexOf('?')
  if (question < 0) return null
  for (const pair of url.slice(question + 1, fragment).split('&')) {
    const equals = partEnd(pair, 0, '=')
    if (pair.slice(0, equals) === name) return pair.slice(equals + 1)
  }
  return null
}

/** Where the authority begins, -1 without one. */
function authorityStart(url: string): number {
  if (url.startsWith('//')) return 2
  const colon = url.indexOf(':')
  return colon > 0 && url.startsWith('//', colon + 1) && validScheme(url, colon) ? colon + 3 : -1
}

function validScheme(url: string, end: number): boolean {
  if (!letter(url.charCodeAt(0))) return false
  for (let at = 1; at < end; at++) {
    const unit = url.charCodeAt(at)
    const fine = letter(unit) || (unit >= 0x30 && unit <= 0x39) || unit === 0x2b || unit === 0x2d || unit === 0x2e
    if (!fine) return false
  }
  return true
}

function letter(unit: number): boolean {
  const lower = unit | 0x20
  return lower >= 0x61 && lower <= 0x7a
}

/** Where one of these characters comes first, else the end. */
function partEnd(text: string, from: number, ends: string): number {
  for (let at = from; at < text.length; at++) if (ends.includes(text[at] as string)) return at
  return text.length
}
