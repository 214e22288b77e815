import { hostname } from 'node:os'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { MillraceError, systemErrorCode } from '../../base/error.ts'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import { showExamples } from '../help.ts'
import { type Holder, holdersOf } from '../holders.ts'
import { homeAt } from '../home.ts'
import { duration } from '../options.ts'
import { printJson, say } from '../output.ts'

interface StopOptions {
  readonly home: string
  readonly checkpoint?: string
  readonly timeout?: number
  readonly json?: boolean
}

const POLL_MS = 50
const TIMEOUT_MS = 60_000

/** `millrace stop`: asks what works in a home folder to end as Ctrl-C does, and waits for it. */
export const defineStop: DefineCommand = (program) => {
  const command = program
    .command('stop')
    .description('end the jobs and generators of a home folder cleanly, as Ctrl-C does')
    .addOption(settingOption('home'))
    .option('--checkpoint <folder>', 'a job whose checkpoint is elsewhere')
    .option('--timeout <duration>', 'how long to wait until they have ended (default: 1m)', duration)
    .option('--json', 'what was stopped, as JSON')
    .action(async (options: StopOptions) => {
      const stopped = await stop(options)
      if (options.json) printJson(stopped.map(({ who, pid, folders }) => ({ who, pid, folders })))
    })
  showExamples(command, [
    ['millrace stop', 'what works in .millrace here'],
    ['millrace stop --home /srv/clicks --timeout 5m', ''],
  ])
}

async function stop({ home, checkpoint, timeout = TIMEOUT_MS }: StopOptions): Promise<Holder[]> {
  const place = homeAt(home)
  const find = () => holdersOf(place, checkpoint === undefined ? [] : [resolve(checkpoint)])
  const holders = await find()
  if (holders.length === 0) say(`nothing runs in ${place.path}`)
  for (const holder of holders) signal(holder)
  const endMs = performance.now() + timeout
  for (const { who, pid } of holders) {
    while ((await find()).some((one) => one.pid === pid)) {
      if (performance.now() >= endMs) throw stillThere(who, pid)
      await sleep(POLL_MS)
    }
    say(`stopped ${who} (process ${pid})`)
  }
  return holders
}

function signal({ who, pid, host }: Holder): void {
  if (host !== hostname()) {
    throw new MillraceError('unavailable', `${who} (process ${pid}) runs on ${host}, not here`, {
      hint: `stop it there: kill -INT ${pid}`,
    })
  }
  try {
    process.kill(pid, 'SIGINT')
  } catch (error) {
    if (systemErrorCode(error) === 'ESRCH') return // It has just ended by itself.
    throw new MillraceError('unavailable', `${who} (process ${pid}) cannot be stopped by this user`, {
      hint: 'ask whoever started it, or an administrator',
      cause: error,
    })
  }
}

function stillThere(who: string, pid: number): MillraceError {
  return new MillraceError('unavailable', `${who} (process ${pid}) has not ended yet`, {
    hint: `it ends when its epoch is written: wait longer with --timeout; kill -9 ${pid} ends it at once, and nothing is lost`,
  })
}
