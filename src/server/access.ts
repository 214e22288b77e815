import { createHash, createHmac, timingSafeEqual } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import { isIPv4 } from 'node:net'
import type { Refusal } from './reply.ts'

/** What a request may have. `login` carries the cookie that stands for the token from now on. */
export type Verdict =
  | { readonly kind: 'allowed' }
  | { readonly kind: 'login'; readonly cookie: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }

const ALLOWED: Verdict = { kind: 'allowed' }
const LOOPBACK_NAMES: readonly string[] = ['localhost', '127.0.0.1', '[::1]']

/**
 * Decides about every request, before anything else looks at it.
 *
 * - Bound to loopback, only requests that name this machine are answered: a web site that lets its own name resolve to
 *   127.0.0.1 (DNS rebinding) sends that name in `Host`. The port is left open, as behind an SSH tunnel it is another.
 * - A request that another web site's script sends says so in `Origin`.
 * - With a token, nothing is answered without it: as `Authorization: Bearer`, as the session cookie, or once as `/?token=`.
 */
export class Access {
  readonly #hostNames: readonly string[] | null
  readonly #token: string | null
  readonly #session: string
  #cookieName = 'millrace_session'

  /** `host` is what the server is bound to. */
  constructor(host: string, token: string | undefined) {
    this.#hostNames = isLoopback(host) ? [...LOOPBACK_NAMES, hostInUrl(host).toLowerCase()] : null
    this.#token = token ?? null
    this.#session = createHmac('sha256', token ?? '')
      .update('millrace dashboard session')
      .digest('base64url')
  }

  /** Cookies are shared by all ports of a host, so the port is part of the name. */
  bindTo(port: number): void {
    this.#cookieName = `millrace_session_${port}`
  }

  judge(request: IncomingMessage, url: URL): Verdict {
    const hostHeader = request.headers.host ?? ''
    if (this.#hostNames && !this.#hostNames.includes(hostName(hostHeader))) return refused(foreignHost(hostHeader))
    const origin = request.headers.origin
    if (origin !== undefined && origin !== `http://${hostHeader}` && origin !== `https://${hostHeader}`) {
      return refused(FOREIGN_ORIGIN)
    }
    if (this.#token === null) return ALLOWED
    return this.#judgeToken(this.#token, request, url)
  }

  #judgeToken(token: string, request: IncomingMessage, url: URL): Verdict {
    const bearer = /^Bearer (\S+)$/i.exec(request.headers.authorization ?? '')?.[1]
    if (bearer !== undefined && sameText(bearer, token)) return ALLOWED
    const session = cookieValue(request.headers.cookie ?? '', this.#cookieName)
    if (session !== undefined && sameText(session, this.#session)) return ALLOWED
    const given = url.pathname === '/' ? url.searchParams.get('token') : null
    if (given === null || !sameText(given, token)) return refused(NO_TOKEN)
    return {
      kind: 'login',
      cookie: `${this.#cookieName}=${this.#session}; Path=/; HttpOnly; SameSite=Strict`,
    }
  }
}

/** Whether only programs on this machine can reach a server that is bound to `host`. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase()
  return name === 'localhost' || name === '::1' || (isIPv4(name) && name.startsWith('127.'))
}

/** An address as it stands in a URL: IPv6 in brackets. */
export function hostInUrl(host: string): string {
  return host.includes(':') ? `[${host}]` : host
}

const NO_TOKEN: Refusal = {
  httpStatus: 401,
  code: 'unauthorized',
  message: 'this needs the token that Millrace was started with',
  hint: 'open /?token=TOKEN once in the browser, or send the header "Authorization: Bearer TOKEN"',
}

const FOREIGN_ORIGIN: Refusal = {
  httpStatus: 403,
  code: 'forbidden',
  message: 'the request comes from a page of another site',
  hint: 'open the dashboard itself, or send the request from a program',
}

function foreignHost(hostHeader: string): Refusal {
  return {
    httpStatus: 403,
    code: 'forbidden',
    message: `the host "${hostHeader.slice(0, 100)}" is not this machine`,
    hint: 'use http://127.0.0.1 or http://localhost with the port of the dashboard',
  }
}

function refused(refusal: Refusal): Verdict {
  return { kind: 'refused', refusal }
}

/** The `Host` header without its port, in lower case. */
function hostName(hostHeader: string): string {
  const end = hostHeader.startsWith('[') ? hostHeader.indexOf(']') + 1 : hostHeader.indexOf(':')
  return (end <= 0 ? hostHeader : hostHeader.slice(0, end)).toLowerCase()
}

function cookieValue(header: string, name: string): string | undefined {
  for (const pair of header.split(';')) {
    const at = pair.indexOf('=')
    if (at > 0 && pair.slice(0, at).trim() === name) return pair.slice(at + 1).trim()
  }
  return undefined
}

/** Compares hashes, so that the time taken tells neither the content nor the length. */
function sameText(left: string, right: string): boolean {
  return timingSafeEqual(createHash('sha256').update(left).digest(), createHash('sha256').update(right).digest())
}
