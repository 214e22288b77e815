// The entry of a data worker's thread: takes what the coordinator asks for and answers it, in order.

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { DataWorker } from './data-worker.ts'
import type { WorkerAnswers, WorkerRequest, WorkerResponse, WorkerStart } from './worker-messages.ts'

const worker = new DataWorker(workerData as WorkerStart)
const port = parentPort
assert(port, 'a data worker is started by a coordinator')
port.on('message', (request: WorkerRequest) => {
  const response = worker.respond(request)
  port.postMessage(response, movable(request, response))
})

/** What need not be copied: groups on their way to their owners. */
function movable({ kind }: WorkerRequest, response: WorkerResponse): ArrayBuffer[] {
  if (kind !== 'hand-over' || !response.ok) return []
  return (response.answer as WorkerAnswers['hand-over']).map(({ buffer }) => buffer as ArrayBuffer)
}
