import { availableParallelism, cpus, totalmem } from 'node:os'
import type { BenchResult } from './bench.ts'

/** The machine and the command, without which no figure means anything. */
export function describeRun(args: readonly string[]): string {
  const cpu = cpus()[0]?.model.trim() ?? 'unknown processor'
  const memoryGb = (totalmem() / 2 ** 30).toFixed(0)
  return [
    `${cpu}, ${availableParallelism()} cores, ${memoryGb} GB, node ${process.versions.node}`,
    `npm run bench -- ${args.join(' ')}`,
  ].join('\n')
}

/** The results as a table for people. */
export function formatTable(results: readonly BenchResult[]): string {
  const timesBatches = results.some((result) => result.worstBatchMs !== undefined)
  const ofBatches = (text: string): string[] => (timesBatches ? [text] : [])
  const knowsCpu = results.some((result) => result.cpuNsPerEvent !== undefined)
  const waits = results.some((result) => result.p99Ms !== undefined)
  const ofWaits = (...texts: string[]): string[] => (waits ? texts : [])
  const ofCpu = (...texts: string[]): string[] => (knowsCpu ? texts : [])
  const header = [
    'name',
    'data',
    'events',
    'ns/event',
    'min',
    'max',
    'runs',
    'events/s',
    ...ofBatches('worst batch ms'),
    ...ofWaits('p50 ms', 'p99 ms'),
    ...ofCpu('CPU ns/event', 'broker CPU', 'MB'),
  ]
  header.push('times as fast as')
  const rows = results.map(
    ({
      name,
      data,
      events,
      nsPerEvent,
      ratio,
      worstBatchMs,
      p50Ms,
      p99Ms,
      cpuNsPerEvent,
      brokerCpuNsPerEvent,
      memoryMb,
    }) => [
      name,
      data,
      formatCount(events),
      formatFigure(nsPerEvent.median),
      formatFigure(nsPerEvent.min),
      formatFigure(nsPerEvent.max),
      String(nsPerEvent.runs),
      formatCount(1e9 / nsPerEvent.median),
      ...ofBatches(worstBatchMs === undefined ? '' : formatFigure(worstBatchMs)),
      ...ofWaits(...[p50Ms, p99Ms].map((ms) => (ms === undefined ? '' : formatFigure(ms)))),
      ...ofCpu(...[cpuNsPerEvent, brokerCpuNsPerEvent, memoryMb].map((value) => formatFigure(value ?? Number.NaN))),
      Object.entries(ratio)
        .map(([peer, times]) => `${peer} ${formatFigure(times)}`)
        .join(', '),
    ],
  )
  return formatLines([header, ...rows])
}

/** Columns side by side: numbers to the right, the first two and the last one to the left. */
function formatLines(lines: readonly (readonly string[])[]): string {
  const header = lines[0] ?? []
  const widths = [...header.keys()].map((column) => Math.max(...lines.map((cells) => (cells[column] ?? '').length)))
  const format = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => {
        const width = widths[column] ?? 0
        const isText = column < 2 || column === header.length - 1
        return isText ? cell.padEnd(width) : cell.padStart(width)
      })
      .join('  ')
      .trimEnd()
  return lines.map(format).join('\n')
}

/** One result as one line of JSON for programs: medians. */
export function formatJson({ nsPerEvent: { median }, ...result }: BenchResult): string {
  return JSON.stringify({ ...result, nsPerEvent: median, eventsPerSecond: Math.round(1e9 / median) })
}

function formatCount(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Three figures that count; more would claim more than a benchmark knows. */
function formatFigure(value: number): string {
  return value >= 100 ? value.toFixed(0) : value.toPrecision(3)
}
