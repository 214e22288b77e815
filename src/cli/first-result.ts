import { get } from 'node:http'

/**
 * Reads the server's event stream as a page does, until an accepted event is counted in it. Resolves to the milliseconds since this
 * process started (its launcher, when that says when it did), or to null when `signal` aborts first.
 */
export function firstResult(url: string, signal: AbortSignal): Promise<number | null> {
  return new Promise((resolve) => {
    const request = get(new URL('/api/stream', url), { signal }, (response) => {
      let text = ''
      response.setEncoding('utf8')
      response.on('data', (part: string) => {
        text += part
        if (!/"accepted":[1-9]/.test(text)) {
          text = text.slice(-64)
          return
        }
        resolve(performance.timeOrigin + performance.now() - startedAtMs())
        request.destroy()
      })
      response.on('close', () => resolve(null))
      response.on('error', () => resolve(null))
    })
    request.on('error', () => resolve(null))
  })
}

function startedAtMs(): number {
  const launched = Number(process.env['MILLRACE_STARTED_AT_MS'])
  return launched > 0 ? launched : performance.timeOrigin
}
