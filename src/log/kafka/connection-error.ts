import { MillraceError, systemErrorCode } from '../../base/error.ts'
import type { BrokerAddress, KafkaSecurity } from './kafka-options.ts'

/** What an error of a socket means. Where these settings have been let in before, a connection that is reset is no sign that they are wrong. */
export function connectError(
  error: unknown,
  { host, port }: BrokerAddress,
  { security, proven }: { readonly security: KafkaSecurity; readonly proven: boolean },
): MillraceError {
  const code = systemErrorCode(error) ?? ''
  const where = `${host}:${port}`
  const text = error instanceof Error ? error.message : String(error)
  if (code === 'ECONNREFUSED') {
    return new MillraceError('unavailable', `there is no broker at ${where}`, {
      hint: 'start it, or name another with --bootstrap-servers or KAFKA_BOOTSTRAP_SERVERS',
      cause: error,
    })
  }
  if (code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new MillraceError('unavailable', `the name ${host} cannot be resolved`, {
      hint: 'check --bootstrap-servers or KAFKA_BOOTSTRAP_SERVERS; brokers name each other in advertised.listeners',
      cause: error,
    })
  }
  if (security.tls && CERTIFICATE_ERROR.test(code)) {
    return new MillraceError('invalid-option', `the certificate of ${where} is not trusted: ${text}`, {
      hint: 'name the certificate of the authority that signed it in KAFKA_SSL_CA_LOCATION, and the broker as its certificate does',
      cause: error,
    })
  }
  if (security.tls && (code.startsWith('ERR_SSL') || code === 'EPROTO')) return noTls(where, error)
  if (security.tls && code === 'ECONNRESET' && !proven) return noTls(where, error)
  return new MillraceError('unavailable', `the connection to ${where} failed: ${text}`, {
    hint: 'check the network and the broker, then try again',
    cause: error,
  })
}

/** The error for bytes that no Kafka broker sends. */
export function notKafka(bytes: Uint8Array, sizeBytes: number, { host, port }: BrokerAddress): MillraceError {
  const where = `${host}:${port}`
  if (bytes[0] === TLS_ALERT && bytes[1] === 3) {
    return new MillraceError('invalid-option', `${where} speaks TLS`, {
      hint: 'set KAFKA_SECURITY_PROTOCOL=SSL (or SASL_SSL), or use the port without TLS',
    })
  }
  const http = Buffer.from(bytes.subarray(0, 4)).toString('latin1') === 'HTTP'
  const what = http ? 'a web server' : `not a Kafka broker: it sends a frame of ${sizeBytes} bytes`
  return new MillraceError('invalid-option', `${where} is ${what}`, { hint: 'check host and port of the broker' })
}

/** The error for an answer that is not what the protocol says. */
export function unreadable(
  cause: Error,
  { apiKey, version }: { readonly apiKey: number; readonly version: number },
  { host, port }: BrokerAddress,
): MillraceError {
  const message = `the answer of ${host}:${port} to request ${apiKey} version ${version} cannot be read: ${cause.message}`
  return new MillraceError('corrupt-data', message, { hint: 'is it a Kafka broker, of a version from 3.9 on?', cause })
}

const TLS_ALERT = 0x15

const CERTIFICATE_ERROR = /CERT|SELF_SIGNED|UNABLE_TO_(GET|VERIFY)|ERR_TLS_CERT/

function noTls(where: string, cause: unknown): MillraceError {
  return new MillraceError('invalid-option', `the TLS handshake with ${where} failed`, {
    hint: 'this port speaks no TLS, or another version of it: set KAFKA_SECURITY_PROTOCOL=PLAINTEXT, or use the port with TLS',
    cause,
  })
}
