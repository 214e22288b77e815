import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** What a run cost. CPU is that of the process and all that it started and waited for. */
export interface ProcessCost {
  readonly wallMs: number
  readonly cpuMs: number
  readonly brokerCpuMs: number
  /** Memory of all its processes together at most, as far as looking now and then tells. */
  readonly memoryBytes: number
}

/** Time between two looks at the memory. */
const LOOK_MS = 100
const PAGE_BYTES = 4_096

/** A run that has not ended by then hangs. */
const RUN_MS_MAX = 3_600_000

/** Runs a program to its end; rejects when that is no good end. The shell's `times` knows what its children have used. */
export function runMeasured(
  command: readonly string[],
  options: { readonly cwd: string; readonly env: NodeJS.ProcessEnv; readonly brokerPid: number },
): Promise<ProcessCost> {
  const brokerBeforeMs = cpuMsOf(options.brokerPid)
  const startMs = performance.now()
  // A group of its own, so that all of it can be ended.
  const child = spawn('sh', ['-c', '"$@"; code=$?; echo; times; exit $code', 'sh', ...command], {
    cwd: options.cwd,
    env: options.env,
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let output = ''
  let errors = ''
  child.stdout.on('data', (text: Buffer) => {
    output = (output + text.toString()).slice(-8_000)
  })
  child.stderr.on('data', (text: Buffer) => {
    errors = (errors + text.toString()).slice(-4_000)
  })
  const end = (): void => {
    if (child.pid !== undefined && child.exitCode === null && child.signalCode === null)
      process.kill(-child.pid, 'SIGKILL')
  }
  const timer = setTimeout(end, RUN_MS_MAX)
  let memoryBytes = 0
  const looks = setInterval(() => {
    memoryBytes = Math.max(memoryBytes, memoryOfGroup(child.pid ?? Number.NaN))
  }, LOOK_MS)
  process.once('exit', end)
  return new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', (code) => {
      clearTimeout(timer)
      clearInterval(looks)
      process.off('exit', end)
      const wallMs = performance.now() - startMs
      if (code !== 0) reject(new Error(`${command.join(' ')} ended with ${code}: ${output.slice(-1_500)}${errors}`))
      else {
        const brokerCpuMs = cpuMsOf(options.brokerPid) - brokerBeforeMs
        resolve({ wallMs, cpuMs: childrenCpuMs(output), brokerCpuMs, memoryBytes })
      }
    })
  })
}

/** The last line is `1m2.34s 0m0.56s`: user and system time of what the shell has waited for. */
function childrenCpuMs(output: string): number {
  const times = [...(output.trimEnd().split('\n').at(-1) ?? '').matchAll(/(\d+)m([\d.]+)s/g)]
  return times.reduce((sum, [, minutes, seconds]) => sum + Number(minutes) * 60_000 + Number(seconds) * 1_000, 0)
}

/** User and system time of a process so far, from /proc, which counts in hundredths of a second. */
function cpuMsOf(pid: number): number {
  const fields = statOf(pid)
  return 10 * (Number(fields[11]) + Number(fields[12]))
}

/** What the processes of a group have in memory. */
function memoryOfGroup(group: number): number {
  let pages = 0
  for (const name of readdirSync('/proc')) {
    const fields = /^\d+$/.test(name) ? statOf(Number(name)) : []
    if (Number(fields[2]) === group) pages += Number(fields[21])
  }
  return pages * PAGE_BYTES
}

/** Fields of /proc/PID/stat from the third on, which is the state; none of a process that is gone. */
function statOf(pid: number): string[] {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ').at(-1)?.split(' ') ?? []
  } catch {
    return []
  }
}
