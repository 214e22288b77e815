import type { IncomingMessage, ServerResponse } from 'node:http'
import { MillraceError } from '../base/error.ts'
import { sendJson, sendRefusal } from './reply.ts'

/** Asks the job's result store; what it resolves to is sent as JSON. Throws `MillraceError` for SQL that it does not take. */
export type AskStore = (sql: string) => Promise<unknown>

/** Where questions are posted: `{"sql": "select ..."}`. */
export const QUERY_PATH = '/api/query'

const BODY_BYTES_MAX = 64 * 1024

/** Answers a posted question. The request has passed the access check, so no other site's page has sent it. */
export async function answerQuery(request: IncomingMessage, response: ServerResponse, ask: AskStore): Promise<void> {
  const body = await readBody(request)
  const sql = body === undefined ? undefined : sqlIn(body)
  if (sql === undefined) {
    response.setHeader('connection', 'close') // What is left of the body is not waited for.
    return sendRefusal(response, QUERY_PATH, NO_QUESTION)
  }
  try {
    sendJson(response, 200, await ask(sql))
  } catch (error) {
    if (!(error instanceof MillraceError)) throw error
    const { code, message, hint } = error
    sendRefusal(response, QUERY_PATH, { httpStatus: code === 'unavailable' ? 503 : 400, code, message, hint })
  }
}

const NO_QUESTION = {
  httpStatus: 400,
  code: 'invalid-option',
  message: 'the body is no question',
  hint: `send {"sql": "select ..."} as application/json, ${BODY_BYTES_MAX} bytes at most`,
}

/** Undefined when it is too long, or not declared to be JSON: a form of another site cannot declare that. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  if (!/^application\/json\b/i.test(request.headers['content-type'] ?? '')) return undefined
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > BODY_BYTES_MAX) return undefined
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function sqlIn(body: Buffer): string | undefined {
  try {
    const question: unknown = JSON.parse(body.toString('utf8'))
    if (typeof question !== 'object' || question === null || !('sql' in question)) return undefined
    return typeof question.sql === 'string' ? question.sql : undefined
  } catch {
    return undefined
  }
}
