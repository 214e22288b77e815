import { spawnSync } from 'node:child_process'
import { kafkaTool } from '../../scripts/kafka-cluster.ts'
import { required } from './requirement.ts'

/** Of a topic, all that a reader of committed records sees who has nothing to do with Millrace: Kafka's own console consumer. */
export async function consoleConsumer(servers: string, topic: string, silenceMs = 8_000): Promise<string[]> {
  const output = await kafkaTool('org.apache.kafka.tools.consumer.ConsoleConsumer', [
    ...['--bootstrap-server', servers, '--topic', topic, '--from-beginning'],
    ...['--isolation-level', 'read_committed', '--timeout-ms', String(silenceMs)],
  ])
  return lines(output)
}

/** The same by librdkafka's kcat, checksums compared. */
export function kcatConsumer(servers: string, topic: string): string[] {
  const settings = ['isolation.level=read_committed', 'check.crcs=true'].flatMap((one) => ['-X', one])
  return lines(kcat(['-C', '-b', servers, '-t', topic, '-o', 'beginning', '-e', '-q', ...settings, '-f', '%s\\n']))
}

/** Runs kcat to its end; what it prints. Throws when it fails. */
export function kcat(args: readonly string[], input = ''): string {
  const { status, error, stdout, stderr } = spawnSync(required('kcat'), args, {
    encoding: 'utf8',
    input,
    maxBuffer: 2 ** 30,
  })
  if (error) throw error
  if (status !== 0) throw new Error(`kcat ended with ${status}: ${stderr}`)
  return stdout
}

function lines(output: string): string[] {
  return output.split('\n').filter((line) => line !== '')
}
