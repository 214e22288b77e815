import type { ServerResponse } from 'node:http'
import { redact } from '../base/redact.ts'
import type { ApiError } from './api.ts'

/** Sent with every answer. The page runs only what this server gave it, and is shown in nobody else's frame. */
export const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; " +
    "frame-ancestors 'none'; base-uri 'none'; form-action 'self'",
  'x-content-type-options': 'nosniff',
  'referrer-policy': 'no-referrer',
}

/** Why a request gets no answer, and what to do about it. */
export interface Refusal {
  readonly httpStatus: number
  readonly code: string
  readonly message: string
  readonly hint: string
}

/** Answers with text that the browser neither interprets nor keeps. */
export function sendText(response: ServerResponse, httpStatus: number, text: string): void {
  send(response, httpStatus, 'text/plain; charset=utf-8', text)
}

/** Answers with a JSON document that nobody keeps. */
export function sendJson(response: ServerResponse, httpStatus: number, value: unknown): void {
  send(response, httpStatus, 'application/json; charset=utf-8', JSON.stringify(value))
}

/** Answers with what went wrong: an `ApiError` below `/api`, sentences elsewhere. */
export function sendRefusal(response: ServerResponse, path: string, refusal: Refusal): void {
  const { httpStatus, code, message, hint } = refusal
  if (path.startsWith('/api')) sendJson(response, httpStatus, { error: { code, message, hint } } satisfies ApiError)
  else sendText(response, httpStatus, `${message}\n${hint}\n`)
}

/** Answers with a body of the given type that nobody keeps. No secret of this process is in it. */
export function send(response: ServerResponse, httpStatus: number, contentType: string, body: string): void {
  const text = redact(body)
  response.writeHead(httpStatus, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
    'cache-control': 'no-store',
  })
  response.end(text)
}
