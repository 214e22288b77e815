import { MillraceError } from '../base/error.ts'
import type { ConnectOptions } from './connect.ts'

const ADDRESS = /^(?:sc:\/\/)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?\/?(?:;(.*))?$/
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/
const PORT_MAX = 65_535
const SETTINGS: readonly string[] = ['token', 'use_ssl', 'user_id']

/**
 * Reads `sc://HOST:PORT/;token=...;use_ssl=true;user_id=...` or HOST:PORT. A token of the environment is taken when none is named. A token goes
 * over TLS unless `use_ssl=false` is written or, for one of the environment, the server is on this machine. Throws `invalid-option`, without the
 * settings in its text: there may be a token among them.
 */
export function parseRemote(remote: string, env: Readonly<Record<string, string | undefined>>): ConnectOptions {
  const [, host, port = '15002', list = ''] = ADDRESS.exec(remote) ?? []
  if (host === undefined || Number(port) > PORT_MAX || port === '0') throw noAddress(remote)
  const settings = new Map(
    list
      .split(';')
      .filter((one) => one !== '')
      .map((one) => setting(one, remote)),
  )
  const token = checkedToken(settings.get('token') ?? (env['SPARK_CONNECT_AUTHENTICATE_TOKEN'] || undefined))
  const secret = settings.has('token') || (token !== undefined && !LOOPBACK.test(host))
  const ssl = settings.get('use_ssl')?.toLowerCase()
  if (ssl !== undefined && ssl !== 'true' && ssl !== 'false') throw noSetting('use_ssl is neither true nor false')
  return {
    address: `${host}:${port}`,
    tls: ssl === undefined ? secret : ssl === 'true',
    userId: settings.get('user_id') ?? 'millrace',
    ...(token !== undefined && { token }),
  }
}

function setting(text: string, remote: string): [string, string] {
  const equals = text.indexOf('=')
  const name = text.slice(0, equals)
  if (equals > 0 && !SETTINGS.includes(name))
    throw noSetting(`${shown(name)} is no setting of a Connect server's address`)
  try {
    if (equals > 0) return [name, decodeURIComponent(text.slice(equals + 1))]
  } catch {
    // A percent sign that begins nothing.
  }
  throw noAddress(remote)
}

/** What may be a token in the wrong place is not shown. */
function shown(name: string): string {
  return /^[a-z_-]{1,20}$/.test(name) ? `"${name}"` : 'what is before a "="'
}

/** gRPC would refuse other characters, and show the token. */
function checkedToken(token: string | undefined): string | undefined {
  if (token === undefined || /^[\x20-\x7e]+$/.test(token)) return token
  const what = token === '' ? 'is empty' : 'has characters that no header takes, such as a line break'
  throw new MillraceError('invalid-option', `the token for Spark ${what}`, {
    hint: 'look at what is in SPARK_CONNECT_AUTHENTICATE_TOKEN, or behind token= in the address',
  })
}

function noSetting(message: string): MillraceError {
  return new MillraceError('invalid-option', message, {
    hint: `known are ${SETTINGS.join(', ')}, as in sc://HOST:PORT/;use_ssl=true;user_id=NAME`,
  })
}

function noAddress(remote: string): MillraceError {
  return new MillraceError('invalid-option', `"${remote.split(';', 1)[0]}" is no address of a Spark Connect server`, {
    hint: 'write sc://HOST:PORT, with ;use_ssl=true behind it for TLS; settings are NAME=VALUE, with %25 for a percent sign',
  })
}
