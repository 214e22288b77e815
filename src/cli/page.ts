import { readFile } from 'node:fs/promises'
import { MillraceError, systemErrorCode } from '../base/error.ts'
import { keepSecret } from '../base/redact.ts'
import { type RunningServer, type ServerOptions, startServer } from '../server/server.ts'
import type { StatusFeed } from '../server/status-feed.ts'
import { SETTING_TYPES } from './config/setting-type.ts'
import { WEB_ROOT } from './own-files.ts'
import type { StoreApi } from './store-api.ts'

/** Where a page is served, and who may see it. */
export interface PageOptions {
  readonly host: string
  readonly port: number
  readonly token?: string
  readonly tokenFile?: string
}

/** What a page has besides the state of a job. */
export interface PageExtras extends Pick<ServerOptions, 'families'> {
  /** Answers questions about stored results. */
  readonly store?: StoreApi | undefined
}

/** Serves the page, the API and the metrics of a job, and answers questions about its result store when it has one. */
export async function startPage(
  feed: StatusFeed,
  options: PageOptions,
  { store, families }: PageExtras = {},
): Promise<RunningServer> {
  const token = await tokenOf(options)
  const server = await startServer({
    feed,
    webRoot: WEB_ROOT,
    host: options.host,
    port: options.port,
    ...(token === undefined ? {} : { token }),
    ...(store && { ask: store.ask }),
    ...(families && { families }),
  })
  await store?.announce(server.url, token)
  return server
}

/** The token itself, or what the file with it says. */
export async function tokenOf({ token, tokenFile }: PageOptions): Promise<string | undefined> {
  if (token !== undefined || tokenFile === undefined) return token
  const text = await readToken(tokenFile)
  const found = SETTING_TYPES.secret.parse(text.trim())
  if (typeof found !== 'string') {
    throw new MillraceError('invalid-option', `"${tokenFile}" does not hold ${SETTING_TYPES.secret.expected}`, {
      hint: 'write the token into it, and nothing else',
    })
  }
  keepSecret(found)
  return found
}

async function readToken(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    const code = systemErrorCode(error)
    const what =
      code === 'ENOENT' ? `there is no file "${path}"` : `"${path}" cannot be read (${code ?? String(error)})`
    throw new MillraceError('invalid-option', what, {
      hint: 'name the file that holds the token with --token-file, or set MILLRACE_TOKEN',
      cause: error,
    })
  }
}
