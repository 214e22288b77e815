import type { Server } from 'node:http'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { hostInUrl, isLoopback } from './access.ts'

/** Throws `invalid-option` for a server that other machines would reach and that asks for no token. */
export function checkExposure(host: string, token: string | undefined): void {
  if (token === '') {
    throw new MillraceError('invalid-option', 'the token is empty', {
      hint: 'set MILLRACE_TOKEN to a long random text, or leave it out to serve this machine only',
    })
  }
  if (token !== undefined || isLoopback(host)) return
  throw new MillraceError('invalid-option', `it would be open to the network at "${host}" without a token`, {
    hint: 'set MILLRACE_TOKEN to a long random text, or bind to 127.0.0.1',
  })
}

/** How this machine reaches a server that is bound to `host`. */
export function urlOf(host: string, port: number): string {
  return `http://${hostInUrl(isAnyAddress(host) ? 'localhost' : host)}:${port}`
}

function isAnyAddress(host: string): boolean {
  return host === '0.0.0.0' || host === '::' || host === ''
}

/** Resolves when the server listens; throws `unavailable` when the port is taken, `invalid-option` when the address cannot be had. */
export function listen(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, host, port)))
    server.listen({ host, port }, resolve)
  })
}

function listenError(cause: Error, host: string, port: number): unknown {
  switch (systemErrorCode(cause)) {
    case 'EADDRINUSE':
      return new MillraceError('unavailable', `port ${port} on ${host} is taken by another program`, {
        hint: `choose another one with --port, such as --port ${port + 1} (--port 0 finds a free one)`,
        cause,
      })
    case 'EACCES':
      return new MillraceError('invalid-option', `port ${port} on ${host} may not be used by this user`, {
        hint: 'choose one above 1023 with --port',
        cause,
      })
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
      return new MillraceError('invalid-option', `"${host}" is not an address of this machine`, {
        hint: 'bind to 127.0.0.1, or to an address that this machine has',
        cause,
      })
    default:
      return cause
  }
}
