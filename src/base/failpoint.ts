/**
 * Named places at which a test can make this process die or fail. Armed at process start, by the environment:
 *
 *     MILLRACE_FAILPOINT=name[:count][:exit|torn|throw]     the count-th time (default 1) that the place is reached
 *     MILLRACE_FAILPOINT_TRACE=file                         each place reached is added to the file, once per process
 *
 * `exit` (the default) is SIGKILL: nothing is flushed, nothing is cleaned up. `torn` lets a write go half the way first.
 */
import { appendFileSync } from 'node:fs'
import { assert } from './assert.ts'
import { MillraceError } from './error.ts'

/** A place between two steps. Costs one comparison when nothing is armed. */
export function failpoint(name: string): void {
  if (idle || !reach(name)) return
  if (armed?.action === 'exit') die()
  if (armed?.action === 'throw') {
    throw new MillraceError('unavailable', `failpoint ${name} is armed`, { hint: 'unset MILLRACE_FAILPOINT' })
  }
}

/** A place inside a write: true when the caller shall write the first half, then call `die`. */
export function tornWrite(name: string): boolean {
  return !idle && reach(name) && armed?.action === 'torn'
}

/** Ends this process as `kill -9` does, before the call returns. */
export function die(): never {
  process.kill(process.pid, 'SIGKILL')
  throw new Error('a killed process does not go on')
}

/** Calls back at every place that is reached in this process, before anything else; what it throws is thrown there. Undefined ends that. */
export function watchFailpoints(listener: ((name: string) => void) | undefined): void {
  watcher = listener
  idle = armed === undefined && !tracePath && !watcher
}

/** What MILLRACE_FAILPOINT asks for. Names may contain colons: count and action are taken from the end. */
export function parseFailpoint(text: string): Failpoint {
  const parts = text.split(':')
  const action = ACTIONS.find((each) => each === parts.at(-1)) ?? 'exit'
  if (parts.at(-1) === action) parts.pop()
  const count = /^[1-9]\d{0,8}$/.test(parts.at(-1) ?? '') ? Number(parts.pop()) : 1
  assert(parts.join(':') !== '', `a failpoint has a name: "${text}"`)
  return { name: parts.join(':'), count, action }
}

/** What a failpoint does when it is reached. */
export interface Failpoint {
  readonly name: string
  readonly count: number
  readonly action: 'exit' | 'torn' | 'throw'
}

const ACTIONS = ['exit', 'torn', 'throw'] as const

const armed = process.env['MILLRACE_FAILPOINT'] ? parseFailpoint(process.env['MILLRACE_FAILPOINT']) : undefined
const tracePath = process.env['MILLRACE_FAILPOINT_TRACE']
let watcher: ((name: string) => void) | undefined
let idle = armed === undefined && !tracePath
const reachedCounts = new Map<string, number>()

/** Counts a visit; true when it is the one that was asked for. */
function reach(name: string): boolean {
  const count = (reachedCounts.get(name) ?? 0) + 1
  reachedCounts.set(name, count)
  watcher?.(name)
  if (tracePath && count === 1) appendFileSync(tracePath, `${name}\n`)
  return armed?.name === name && armed.count === count
}
