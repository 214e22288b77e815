import { readFileSync } from 'node:fs'
import { MillraceError } from '../../base/error.ts'
import type { SaslCredentials } from './wire.ts'

/** Where a cluster is and how to get in. */
export interface KafkaOptions {
  /** Any brokers of the cluster: the others are learnt from them. */
  readonly bootstrap: readonly BrokerAddress[]
  readonly security: KafkaSecurity
  /** How long to wait for a broker that is not there yet; some seconds by default. */
  readonly waitMs?: number
  /** Hears of trouble that passes by itself, for people. */
  readonly report?: (text: string) => void
}

/** Host and port of a broker. */
export interface BrokerAddress {
  readonly host: string
  readonly port: number
}

/** Nothing, TLS, a login, or both. */
export interface KafkaSecurity {
  /** Certificates as PEM; the system's authorities are trusted when there is no `ca`. */
  readonly tls?: { readonly ca?: string; readonly cert?: string; readonly key?: string }
  readonly sasl?: SaslCredentials
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Settings from the environment, under the names that Kafka's own settings have: KAFKA_SECURITY_PROTOCOL (PLAINTEXT, SSL, SASL_PLAINTEXT,
 * SASL_SSL), KAFKA_SASL_MECHANISM, KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD or KAFKA_SASL_PASSWORD_FILE, KAFKA_SASL_TOKEN,
 * KAFKA_SSL_CA_LOCATION, KAFKA_SSL_CERTIFICATE_LOCATION, KAFKA_SSL_KEY_LOCATION.
 */
export function kafkaOptions(servers: string, environment: Environment): KafkaOptions {
  const bootstrap = servers.split(',').map((server) => parseAddress(server.trim()))
  const protocol = environment['KAFKA_SECURITY_PROTOCOL'] ?? 'PLAINTEXT'
  if (!PROTOCOLS.includes(protocol)) {
    throw new MillraceError('invalid-option', `KAFKA_SECURITY_PROTOCOL is ${protocol}`, {
      hint: `use one of ${PROTOCOLS.join(', ')}`,
    })
  }
  const tls = protocol.endsWith('SSL') ? tlsFrom(environment) : undefined
  const sasl = protocol.startsWith('SASL') ? saslFrom(environment) : undefined
  if (sasl && !tls) assertMayGoInClear(sasl, bootstrap)
  return { bootstrap, security: { ...(tls && { tls }), ...(sasl && { sasl }) } }
}

const PROTOCOLS: readonly string[] = ['PLAINTEXT', 'SSL', 'SASL_PLAINTEXT', 'SASL_SSL']
const MECHANISMS: readonly string[] = ['PLAIN', 'SCRAM-SHA-256', 'SCRAM-SHA-512', 'OAUTHBEARER']

function parseAddress(text: string): BrokerAddress {
  const match = /^(?:\[([0-9a-f:]+)\]|([^\s:/]+))(?::(\d{1,5}))?$/i.exec(text)
  const port = Number(match?.[3] ?? '9092')
  if (!match || port < 1 || port > 65_535) {
    throw new MillraceError('invalid-option', `"${text}" is not the address of a broker`, {
      hint: 'write HOST:PORT, several with commas between them: kafka-1:9092,kafka-2:9092',
    })
  }
  return { host: (match[1] ?? match[2]) as string, port }
}

function tlsFrom(environment: Environment): NonNullable<KafkaSecurity['tls']> {
  const ca = fileOf(environment, 'KAFKA_SSL_CA_LOCATION')
  const cert = fileOf(environment, 'KAFKA_SSL_CERTIFICATE_LOCATION')
  const key = fileOf(environment, 'KAFKA_SSL_KEY_LOCATION')
  return { ...(ca !== undefined && { ca }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) }
}

function saslFrom(environment: Environment): SaslCredentials {
  const mechanism = environment['KAFKA_SASL_MECHANISM'] ?? 'SCRAM-SHA-256'
  if (!MECHANISMS.includes(mechanism)) {
    throw new MillraceError('invalid-option', `KAFKA_SASL_MECHANISM is ${mechanism}`, {
      hint: `use one of ${MECHANISMS.join(', ')}`,
    })
  }
  if (mechanism === 'OAUTHBEARER') return { mechanism, token: needed(environment, 'KAFKA_SASL_TOKEN') }
  const username = needed(environment, 'KAFKA_SASL_USERNAME')
  const password =
    fileOf(environment, 'KAFKA_SASL_PASSWORD_FILE')?.trimEnd() ?? needed(environment, 'KAFKA_SASL_PASSWORD')
  return { mechanism: mechanism as 'PLAIN', username, password }
}

/** Who listens on the way would have the password. SCRAM does not send it. */
function assertMayGoInClear({ mechanism }: SaslCredentials, bootstrap: readonly BrokerAddress[]): void {
  if (mechanism.startsWith('SCRAM')) return
  const far = bootstrap.find(({ host }) => !LOOPBACK.test(host))
  if (!far) return
  throw new MillraceError('invalid-option', `${mechanism} would send the secret to ${far.host} unencrypted`, {
    hint: 'set KAFKA_SECURITY_PROTOCOL=SASL_SSL, or use SCRAM-SHA-256',
  })
}

const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|::1)$/

function needed(environment: Environment, name: string): string {
  const value = environment[name]
  if (value) return value
  throw new MillraceError('invalid-option', `${name} is not set`, {
    hint: `KAFKA_SECURITY_PROTOCOL=${environment['KAFKA_SECURITY_PROTOCOL']} needs it`,
  })
}

function fileOf(environment: Environment, name: string): string | undefined {
  const path = environment[name]
  if (!path) return undefined
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    throw new MillraceError('invalid-option', `the file ${path}, named in ${name}, cannot be read`, {
      hint: 'name a file that is there, in PEM format',
      cause: error,
    })
  }
}
