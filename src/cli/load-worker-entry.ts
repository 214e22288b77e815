// What a thread of a load test runs.

import { once } from 'node:events'
import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { openKafka } from './home.ts'
import { type LoadThreadData, runLoadShare } from './load-worker.ts'

assert(parentPort, 'a thread of a load test is started by the command')
const { servers, share } = workerData as LoadThreadData
const log = await openKafka(servers)
try {
  await import('../generator/load.ts')
  const begin = once(parentPort, 'message')
  parentPort.postMessage('ready')
  await begin
  parentPort.postMessage(await runLoadShare(log, share))
} finally {
  await log.close()
}
