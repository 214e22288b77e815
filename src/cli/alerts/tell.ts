import { spawn } from 'node:child_process'
import { once } from 'node:events'
import type { AlertTarget } from '../../alerts/alert-rule.ts'
import type { AlertChange } from '../../alerts/alert-watch.ts'
import { unreachable } from '../../base/assert.ts'
import { say } from '../output.ts'

const TIMEOUT_MS = 10_000

/** Tells of an alert. Who cannot be reached is said on stderr: no job stops for that. */
export async function tell(target: AlertTarget, change: AlertChange, pipeline: string): Promise<void> {
  try {
    await reach(target, change, pipeline)
  } catch (error) {
    say(
      `alert    ${change.rule} could not be told to the ${target.kind}: ${error instanceof Error ? error.message : error}`,
    )
  }
}

async function reach(target: AlertTarget, change: AlertChange, pipeline: string): Promise<void> {
  const { rule, series, state, value } = change
  switch (target.kind) {
    case 'log':
      return say(`alert    ${rule} ${state}${series === '' ? '' : ` for ${series}`}: ${value}`)
    case 'command':
      return runCommand(target.command, {
        ALERT_PIPELINE: pipeline,
        ALERT_NAME: rule,
        ALERT_STATE: state,
        ALERT_SERIES: series,
        ALERT_VALUE: String(value),
      })
    case 'webhook': {
      const response = await fetch(target.url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ pipeline, ...change }),
        signal: AbortSignal.timeout(TIMEOUT_MS),
        redirect: 'error',
      })
      if (!response.ok) throw new Error(`the answer was ${response.status}`)
      return
    }
    default:
      return unreachable(target)
  }
}

/** Values reach the command in its environment only: as part of its text they could become commands themselves. */
async function runCommand(command: string, values: Readonly<Record<string, string>>): Promise<void> {
  const child = spawn('/bin/sh', ['-c', command], {
    env: { ...process.env, ...values },
    stdio: ['ignore', 2, 2],
    timeout: TIMEOUT_MS,
    killSignal: 'SIGKILL',
  })
  const [code, signal] = (await once(child, 'close')) as [number | null, string | null]
  if (code !== 0) throw new Error(`it ended with ${code ?? signal}`)
}
