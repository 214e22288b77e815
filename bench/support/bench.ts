/** A benchmark: the file `bench/NAME.ts` exports it under the name `bench`. */
export interface Bench {
  readonly name: string
  /** What is measured, in one line. */
  readonly summary: string
  /**
   * Measures (`measure` does the timing), and checks that what was measured gave right answers: throws otherwise.
   * The last result is the one that the benchmark is about; those before it are shown with it.
   */
  run(options: BenchOptions): Promise<readonly BenchResult[]>
}

/** What the command line says, for the benchmark to use. */
export interface BenchOptions {
  /** A name that the benchmark knows, or a path; its own default if undefined. */
  readonly data: string | undefined
  /** Folder of an experiment to compare with, for benchmarks that know one. */
  readonly experiment?: string | undefined
  /** How many events to work on, for benchmarks that leave it open. */
  readonly events?: number | undefined
  /** Names of others to compare with, separated by commas, for benchmarks that know some. */
  readonly peers?: string | undefined
}

/** How fast something ran on some data. */
export interface BenchResult {
  /** Of the benchmark, or `benchmark/variant`. */
  readonly name: string
  /** The data that was used, as `--data` would name it. */
  readonly data: string
  /** Events per run. */
  readonly events: number
  readonly nsPerEvent: Spread
  /** For each peer of the same run: how many times as fast as the peer this was. */
  readonly ratio: Readonly<Record<string, number>>
  /** The longest batch of all runs, for benchmarks that time each. */
  readonly worstBatchMs?: number
  /** How long half of the events, and all but one in a hundred, had to wait, for benchmarks of waiting; of a few runs, the longest. */
  readonly p50Ms?: number
  readonly p99Ms?: number
  /** What a process has used, for benchmarks of processes; and the broker meanwhile. */
  readonly cpuNsPerEvent?: number
  readonly brokerCpuNsPerEvent?: number
  /** Memory of all its processes at most, where it is known. */
  readonly memoryMb?: number
}

/** Several runs of the same work, in one number and two that say what it is worth. */
export interface Spread {
  readonly median: number
  readonly min: number
  readonly max: number
  readonly runs: number
}
