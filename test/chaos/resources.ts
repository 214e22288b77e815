import { readdir, readFile } from 'node:fs/promises'

/** What a process and its folders hold at a moment. */
export interface Sample {
  readonly atMs: number
  readonly residentBytes: number
  readonly descriptors: number
  readonly files: number
}

/** Looks at a process by its id (Linux: /proc) and counts the files below some folders; undefined when the process is gone. */
export async function sampleOf(pid: number, folders: readonly string[]): Promise<Sample | undefined> {
  try {
    const status = await readFile(`/proc/${pid}/status`, 'utf8')
    const kilobytes = /^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]
    if (kilobytes === undefined) return undefined
    const descriptors = (await readdir(`/proc/${pid}/fd`)).length
    const counts = await Promise.all(folders.map(fileCount))
    const files = counts.reduce((sum, count) => sum + count, 0)
    return { atMs: performance.now(), residentBytes: Number(kilobytes) * 1024, descriptors, files }
  } catch {
    return undefined
  }
}

async function fileCount(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => [])
  return entries.filter((entry) => entry.isFile()).length
}

/** By how much a number grows in an hour: the slope of the least squares through all samples. NaN with fewer than two. */
export function growthPerHour(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const meanAt = mean(samples.map(({ atMs }) => atMs))
  const meanOf = mean(samples.map(of))
  let [both, squares] = [0, 0]
  for (const sample of samples) {
    both += (sample.atMs - meanAt) * (of(sample) - meanOf)
    squares += (sample.atMs - meanAt) ** 2
  }
  return (both / squares) * 3_600_000
}

/** The sample with the least of something in each of ten stretches of time: what collecting garbage leaves. */
export function troughs(samples: readonly Sample[], of: (sample: Sample) => number): Sample[] {
  const length = Math.ceil(samples.length / 10)
  const stretches = Array.from({ length: 10 }, (_, index) => samples.slice(index * length, (index + 1) * length))
  return stretches.flatMap((stretch) => stretch.toSorted((left, right) => of(left) - of(right)).slice(0, 1))
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length
}
