import { MillraceError } from '../base/error.ts'
import type { ConnectOptions } from './connect.ts'

const ADDRESS = /^(?:sc:\/\/)?([A-Za-z0-9._-]+|\[[0-9a-fA-F:]+\])(?::(\d{1,5}))?\/?(?:;(.*))?$/
const LOOPBACK = /^(localhost|127\.\d+\.\d+\.\d+|\[::1\])$/
const PORT_MAX = 65_535

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
  const token = settings.get('token') ?? env['SPARK_CONNECT_AUTHENTICATE_TOKEN']
  const secret = settings.has('token') || (token !== undefined && !LOOPBACK.test(host))
  const ssl = settings.get('use_ssl')
  return {
    address: `${host}:${port}`,
    tls: ssl === undefined ? secret : ssl === 'true',
    userId: settings.get('user_id') ?? 'millrace',
    ...(token !== undefined && { token }),
  }
}

function setting(text: string, remote: string): [string, string] {
  const equals = text.indexOf('=')
  try {
    if (equals > 0) return [text.slice(0, equals), decodeURIComponent(text.slice(equals + 1))]
  } catch {
    // A percent sign that begins nothing.
  }
  throw noAddress(remote)
}

function noAddress(remote: string): MillraceError {
  return new MillraceError('invalid-option', `"${remote.split(';', 1)[0]}" is no address of a Spark Connect server`, {
    hint: 'write sc://HOST:PORT, with ;use_ssl=true behind it for TLS; settings are NAME=VALUE, with %25 for a percent sign',
  })
}
