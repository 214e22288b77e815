// The entry of a data worker's thread: takes what the coordinator asks for and answers it, in order.

import { parentPort, workerData } from 'node:worker_threads'
import { assert } from '../base/assert.ts'
import { DataWorker } from './data-worker.ts'
import type { WorkerRequest, WorkerStart } from './worker-messages.ts'

const worker = new DataWorker(workerData as WorkerStart)
const port = parentPort
assert(port, 'a data worker is started by a coordinator')
port.on('message', (request: WorkerRequest) => port.postMessage(worker.respond(request)))
