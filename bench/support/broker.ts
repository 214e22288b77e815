import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startCluster, stopBroker } from '../../scripts/kafka-cluster.ts'

/** What a benchmark has of its broker. */
export interface BenchBroker {
  readonly bootstrap: string
  readonly pid: number
  /** A folder of its own, which goes with the broker. */
  readonly folder: string
}

/** Runs a benchmark against a broker on this machine, which is stopped when that ends, fails, or is ended from the keyboard. */
export async function withBroker<T>(use: (broker: BenchBroker) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-bench-kafka-'))
  const { bootstrap, brokers } = await startCluster({ folder: join(folder, 'broker'), brokers: 1 })
  const stop = async (): Promise<void> => {
    await Promise.all(brokers.map((broker) => stopBroker(broker)))
    rmSync(folder, { recursive: true, force: true })
  }
  const stopAndExit = (): void => void stop().finally(() => process.exit(130))
  for (const signal of SIGNALS) process.once(signal, stopAndExit)
  try {
    return await use({ bootstrap, pid: (brokers[0] as (typeof brokers)[number]).pid, folder })
  } finally {
    for (const signal of SIGNALS) process.off(signal, stopAndExit)
    await stop()
  }
}

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
