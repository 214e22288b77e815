import { RecordWalk } from '../batch/record-walk.ts'
import type { Log } from '../log/log.ts'

/** The value of a partition's last record, below offset `end`; undefined when retention has removed it or it is null. */
export async function lastValue(
  log: Log,
  topic: string,
  partition: number,
  end: number,
): Promise<Uint8Array | undefined> {
  const { start } = await log.offsets(topic, partition)
  if (end - 1 < start) return undefined
  const walk = new RecordWalk()
  for (const { bytes, baseOffset, recordCount } of await log.read(topic, partition, end - 1, 1)) {
    walk.begin(bytes, bytes.length)
    for (let count = 0; count < recordCount && walk.next(); count++) {
      if (baseOffset + walk.offsetDelta !== end - 1 || walk.valueLength < 0) continue
      return bytes.subarray(walk.valueStart, walk.valueStart + walk.valueLength)
    }
  }
  return undefined
}
