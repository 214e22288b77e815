import { join } from 'node:path'
import type { ClusterOptions } from './kafka-cluster.ts'

/** Of the store with the brokers' certificate, which is made anew for each cluster. */
export const KEYSTORE_PASSWORD = 'changeit'

const PROTOCOLS =
  'CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT,RELAYED:PLAINTEXT,SASLP:SASL_PLAINTEXT,SSL:SSL,SASLS:SASL_SSL'

/** A process of a cluster that is to be. */
export interface Node {
  readonly id: number
  readonly port: number
  readonly controllerPort: number
}

/** Where a broker listens. */
export interface Listener {
  readonly name: string
  readonly port: number
  /** What clients are told, where that is another one. */
  readonly advertisedPort?: number
}

/** Listeners of the first broker, besides the plain one. */
export function extraListeners(
  { relayPort }: ClusterOptions,
  [saslPort, tlsPort, saslTlsPort]: readonly number[],
  behindRelay: number | undefined,
): Listener[] {
  const secure =
    saslPort === undefined || tlsPort === undefined || saslTlsPort === undefined
      ? []
      : [
          { name: 'SASLP', port: saslPort },
          { name: 'SSL', port: tlsPort },
          { name: 'SASLS', port: saslTlsPort },
        ]
  if (behindRelay === undefined || relayPort === undefined) return secure
  return [...secure, { name: 'RELAYED', port: behindRelay, advertisedPort: relayPort }]
}

/** Settings of a broker, as the text of its file. */
export function brokerProperties(
  options: ClusterOptions,
  node: Node,
  nodes: readonly Node[],
  extra: readonly Listener[],
): string {
  const voters = nodes.map(({ id, controllerPort }) => `${id}@127.0.0.1:${controllerPort}`).join(',')
  const copies = Math.min(3, nodes.length)
  const listeners: readonly Listener[] = [{ name: 'PLAINTEXT', port: node.port }, ...extra]
  const open = listeners.map(({ name, port }) => `${name}://127.0.0.1:${port}`).join(',')
  const advertised = listeners
    .map(({ name, port, advertisedPort = port }) => `${name}://127.0.0.1:${advertisedPort}`)
    .join(',')
  const jaas = 'org.apache.kafka.common.security'
  const plain = `${jaas}.plain.PlainLoginModule required user_alice="secret";`
  const scram = `${jaas}.scram.ScramLoginModule required;`
  const security = ['saslp', 'sasls'].flatMap((listener) => [
    `listener.name.${listener}.sasl.enabled.mechanisms=PLAIN,SCRAM-SHA-256`,
    `listener.name.${listener}.plain.sasl.jaas.config=${plain}`,
    `listener.name.${listener}.scram-sha-256.sasl.jaas.config=${scram}`,
  ])
  const keystore = join(options.folder, 'server.p12')
  return [
    'process.roles=broker,controller',
    `node.id=${node.id}`,
    `controller.quorum.voters=${voters}`,
    `listeners=${open},CONTROLLER://127.0.0.1:${node.controllerPort}`,
    `advertised.listeners=${advertised}`,
    'controller.listener.names=CONTROLLER',
    `listener.security.protocol.map=${PROTOCOLS}`,
    `log.dirs=${join(options.folder, `data-${node.id}`)}`,
    `offsets.topic.replication.factor=${copies}`,
    `transaction.state.log.replication.factor=${copies}`,
    `transaction.state.log.min.isr=${Math.min(2, copies)}`,
    `default.replication.factor=${copies}`,
    'offsets.topic.num.partitions=4',
    'transaction.state.log.num.partitions=4',
    'auto.create.topics.enable=false',
    'group.initial.rebalance.delay.ms=0',
    // Retention goes by the records' own times, and a test's or a replay's are of any year.
    'log.retention.ms=-1',
    'log.retention.check.interval.ms=1000',
    'log.initial.task.delay.ms=500',
    'transaction.abort.timed.out.transaction.cleanup.interval.ms=1000',
    ...(!options.secure
      ? []
      : [
          ...security,
          `ssl.keystore.location=${keystore}`,
          'ssl.keystore.type=PKCS12',
          `ssl.keystore.password=${KEYSTORE_PASSWORD}`,
          `ssl.key.password=${KEYSTORE_PASSWORD}`,
        ]),
    '',
  ].join('\n')
}
