import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { runningSparkServer, type SparkServer, startSparkServer } from '../../scripts/spark-server.ts'
import { sharedServer } from './shared-server.ts'

const FULL = process.env['MILLRACE_TEST_SCALE'] === 'full'

/** What the tests' own server is kept in, beside what other users have. */
const FOLDER = join(tmpdir(), `millrace-test-spark-${userInfo().uid}`)

/** Address of a Connect server of the tests' own, shared by all test files that run at the same time and for a few seconds after that. */
export async function testSpark(): Promise<string> {
  const { port } = await sharedServer<SparkServer>({
    folder: FOLDER,
    script: 'spark.ts',
    find: () => runningSparkServer(FOLDER),
    start: async () => startSparkServer({ folder: FOLDER, port: await freePort(), shortLived: !FULL }),
  })
  return `sc://127.0.0.1:${port}`
}

/** A port of this machine that nobody listens on. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}
