import { MillraceError } from '../../base/error.ts'
import { kafkaError } from './kafka-error.ts'
import type { BrokerAddress } from './kafka-options.ts'
import { authenticate, errorCodeOf, type SaslCredentials, saslHandshake, type Wire } from './wire.ts'

/** Logs in on a fresh connection; resolves to how long that holds, ms, 0 for ever. Throws `invalid-option` when the broker refuses. */
export async function login(wire: Wire, credentials: SaslCredentials, { host, port }: BrokerAddress): Promise<number> {
  const what = `log in at ${host}:${port} with ${credentials.mechanism}`
  const { errorCode, mechanisms } = await saslHandshake(wire, credentials.mechanism)
  if (errorCode !== 0)
    throw kafkaError(errorCode, what, mechanisms.length > 0 ? `it offers ${mechanisms.join(', ')}` : null)
  try {
    return await authenticate(wire, credentials)
  } catch (error) {
    if (error instanceof MillraceError) throw error
    const code = errorCodeOf(error)
    if (code !== undefined) throw kafkaError(code, what)
    const reason = error instanceof Error ? error.message : String(error)
    throw new MillraceError('invalid-option', `${what} failed: ${reason}`, {
      hint: 'check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM',
      cause: error,
    })
  }
}
