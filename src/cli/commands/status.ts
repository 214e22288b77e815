import { setTimeout as delay } from 'node:timers/promises'
import { MillraceError, systemErrorCode } from '../../base/error.ts'
import { ready, waitsFor } from '../../job/health.ts'
import type { JobStatus, LatencyView, SinkStatus } from '../../job/status.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { duration } from '../options.ts'
import { printJson } from '../output.ts'
import { type PageOptions, tokenOf } from '../page.ts'
import { counted } from '../summary.ts'

interface StatusOptions extends PageOptions {
  readonly url?: string
  readonly exitWhenHealthy?: boolean
  readonly timeout?: number
  readonly json?: boolean
}

const POLL_MS = 200
const TIMEOUT_MS = 60_000
const REQUEST_TIMEOUT_MS = 5_000

/** `millrace status`: asks a job that runs with a page how it is doing. */
export const defineStatus: DefineCommand = (program, exit) => {
  const command = program
    .command('status')
    .description('ask a running job (demo, or run --serve) how it is doing')
    .option('--url <url>', 'where it serves its page; host and port when left out')
    .addOption(settingOption('host'))
    .addOption(settingOption('port'))
    .addOption(settingOption('token-file'))
    .option('--exit-when-healthy', 'wait until it runs and waits for nothing, then exit with 0')
    .option('--timeout <duration>', 'of waiting (default: 1m)', duration)
    .option('--json', 'the whole status as JSON')
    .action(async (options: StatusOptions) => {
      const status = options.exitWhenHealthy ? await healthyStatus(options) : await askStatus(options)
      if (options.json) printJson(status)
      else process.stdout.write(statusText(status))
      exit(status.state === 'failed' ? 1 : 0)
    })
  showExamples(command, [
    ['millrace status', 'of the job on this machine'],
    ['millrace status --exit-when-healthy --timeout 30s', 'in scripts'],
    ['millrace status --url http://10.0.0.5:8080 --token-file token', ''],
  ])
}

/** Asks again until the job runs, or the time is over. */
async function healthyStatus(options: StatusOptions): Promise<JobStatus> {
  const endMs = performance.now() + (options.timeout ?? TIMEOUT_MS)
  for (;;) {
    const answer = await askStatus(options).catch((error: unknown) => {
      if (error instanceof MillraceError && error.code === 'unavailable') return error
      throw error
    })
    if (!(answer instanceof MillraceError) && ready(answer)) return answer
    if (performance.now() >= endMs) throw answer instanceof MillraceError ? answer : notHealthy(answer)
    await delay(POLL_MS)
  }
}

async function askStatus(options: StatusOptions): Promise<JobStatus> {
  const url = statusUrl(options)
  const token = await tokenOf(options)
  let response: Response
  try {
    response = await fetch(url, {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(REQUEST_TIMEOUT_MS),
      redirect: 'error',
    })
  } catch (error) {
    throw unreachableJob(url, error)
  }
  if (response.status === 401 || response.status === 403) throw refused(url, response.status)
  const body: unknown = await response.json().catch(() => undefined)
  if (response.ok && isStatus(body)) return body
  throw new MillraceError('unavailable', `${url} is not the API of a job (it answered ${response.status})`, {
    hint: 'name the page of a job with --url, or its --port',
  })
}

function statusUrl({ url, host, port }: StatusOptions): string {
  const name = host === '0.0.0.0' || host === '::' ? 'localhost' : host
  const text = url ?? `http://${name.includes(':') ? `[${name}]` : name}:${port}`
  if (/^https?:\/\//.test(text) && URL.canParse(text)) return new URL('/api/status', text).href
  throw new MillraceError('invalid-option', `"${text}" is not the URL of a page`, {
    hint: 'write it as http://127.0.0.1:8080',
  })
}

function isStatus(body: unknown): body is JobStatus {
  return typeof body === 'object' && body !== null && 'pipeline' in body && 'state' in body && 'fates' in body
}

/** The status of a job for people, several lines. */
export function statusText(status: JobStatus): string {
  const number = (value: number): string => value.toLocaleString('en-US')
  const state = waitsFor(status) === null ? status.state : 'waiting'
  const lines = [
    `${status.pipeline} is ${state}: epoch ${number(status.epoch)}, ${number(status.rowsRead)} events, ${number(Math.round(status.eventsPerSecond))} events/s`,
    ...(status.latency ? [`  latency    ${latencyText(status.latency)}`] : []),
    `  fates      ${
      Object.entries(status.fates)
        .filter(([, rows]) => rows > 0)
        .map(([fate, rows]) => `${number(rows)} ${fate}`)
        .join(', ') || 'none'
    }`,
    ...status.watermarks.map(({ id, why }) => `  watermark  ${id}: ${why}`),
    ...status.sinks.map((sink) => `  sink       ${sink.name}: ${sinkText(sink)}`),
  ]
  if (status.error) lines.push(`  error      ${status.error.message}`, `  hint       ${status.error.hint}`)
  return `${lines.join('\n')}\n`
}

function latencyText({ p50Ms, p99Ms, maxMs }: LatencyView): string {
  const [half, most, all] = [p50Ms, p99Ms, maxMs].map((ms) => `${Math.round(ms).toLocaleString('en-US')} ms`)
  return `half of the events are in every sink ${half} after they came, 99 of 100 after ${most}, all after ${all}`
}

/** What a sink has, or what is wrong with it; a job of an older build says nothing of rows that wait. */
function sinkText({ rows, waitingRows, lastError }: SinkStatus): string {
  if (lastError !== null) return lastError
  const written = counted(rows, 'row')
  return typeof waitingRows === 'number' ? `${written}, ${counted(waitingRows, 'row')} waiting for a file` : written
}

function notHealthy(status: JobStatus): MillraceError {
  const { pipeline, state } = status
  const trouble = waitsFor(status)
  const what = trouble === null ? `is still ${state}` : `waits: ${trouble}`
  return new MillraceError('unavailable', `the job "${pipeline}" ${what}`, {
    hint: 'give it more time with --timeout, or look at what it says on stderr',
  })
}

function unreachableJob(url: string, cause: unknown): MillraceError {
  const inner = cause instanceof Error ? cause.cause : undefined
  const reason = inner instanceof Error ? inner : cause
  const why = systemErrorCode(inner) ?? (reason instanceof Error ? reason.message : String(reason))
  return new MillraceError('unavailable', `no job answers at ${url} (${why})`, {
    hint: 'start one with `millrace demo` or `millrace run --serve`, or name its page with --port or --url',
    cause,
  })
}

function refused(url: string, httpStatus: number): MillraceError {
  return new MillraceError('invalid-option', `${url} does not let this request in (${httpStatus})`, {
    hint: 'set the MILLRACE_TOKEN that the job was started with, or name its file with --token-file',
  })
}
