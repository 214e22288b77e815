import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { extname, join, sep } from 'node:path'
import { systemErrorCode } from '../base/error.ts'

const CONTENT_TYPES: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
}

/**
 * The built page, held in memory: a handful of files, named in advance. A request is looked up by its whole path and never
 * touches the file system, so no path leads outside.
 */
export class PageFiles {
  readonly #root: string
  #files: Promise<ReadonlyMap<string, PageFile>> | null = null

  /** Nothing is read before the first request; a folder that is missing then is looked for again with the next one. */
  constructor(root: string) {
    this.#root = root
  }

  /** Answers if the path is one of the page's files; says what was found. */
  async send(
    request: IncomingMessage,
    response: ServerResponse,
    path: string,
  ): Promise<'sent' | 'unknown' | 'not-built'> {
    this.#files ??= readFiles(this.#root)
    const files = await this.#files
    if (!files.has('/index.html')) {
      this.#files = null
      return 'not-built'
    }
    const file = files.get(path === '/' ? '/index.html' : path)
    if (file === undefined) return 'unknown'
    const headers = { etag: file.etag, 'cache-control': file.cacheControl }
    if (request.headers['if-none-match'] === file.etag) {
      response.writeHead(304, headers).end()
    } else {
      response.writeHead(200, { ...headers, 'content-type': file.contentType, 'content-length': file.bytes.length })
      response.end(file.bytes)
    }
    return 'sent'
  }
}

interface PageFile {
  readonly bytes: Buffer
  readonly contentType: string
  readonly etag: string
  readonly cacheControl: string
}

async function readFiles(root: string): Promise<ReadonlyMap<string, PageFile>> {
  const files = new Map<string, PageFile>()
  for (const name of await listNames(root)) {
    const contentType = CONTENT_TYPES[extname(name)]
    if (contentType === undefined) continue
    const bytes = await readFile(join(root, name)).catch(() => null)
    if (bytes === null) continue
    const path = `/${name.replaceAll(sep, '/')}`
    files.set(path, {
      bytes,
      contentType,
      etag: `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`,
      // The build writes a hash of the content into the names of what it puts under assets/.
      cacheControl: path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache',
    })
  }
  return files
}

async function listNames(root: string): Promise<string[]> {
  try {
    return await readdir(root, { recursive: true })
  } catch (error) {
    if (systemErrorCode(error) === 'ENOENT' || systemErrorCode(error) === 'ENOTDIR') return []
    throw error
  }
}
