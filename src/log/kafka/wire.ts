import {
  addPartitionsToTxnV3,
  apiVersionsV4,
  createTopicsV7,
  deleteTopicsV6,
  describeConfigsV4,
  describeLogDirsV4,
  fetchV17,
  findCoordinatorV4,
  initProducerIdV4,
  listOffsetsV9,
  metadataV12,
  offsetCommitV9,
  protocolErrors,
  protocolErrorsCodesById,
  Reader,
  saslAuthenticateV2,
  saslHandshakeV1,
  saslOAuthBearer,
  saslPlain,
  saslScramSha,
  Writer,
} from '@platformatic/kafka'

// The only file that imports the client library. What small and rare requests need comes from it: their codecs and the exchange of
// passwords. Connections, fetching, producing and transactions are ours; docs/decisions says why.

export { Reader, Writer }

/** Brokers and topics of a cluster. */
export type MetadataResponse = metadataV12.MetadataResponse

/** Reads an answer; `reader` stands behind the answer's header. */
export type ResponseParser<T> = (correlationId: number, apiKey: number, version: number, reader: Reader) => T

/** What the library's codecs ask of a connection. */
export interface Wire {
  send(
    apiKey: number,
    version: number,
    createRequest: () => Writer,
    parse: ResponseParser<unknown>,
    requestHasTags: boolean,
    responseHasTags: boolean,
    done: (error: Error | null, response?: unknown) => void,
  ): void
}

/** A kind of request: resolves to the answer, whatever error codes are in it. */
export interface Call<Args extends readonly unknown[], Response> {
  (wire: Wire, ...args: Args): Promise<Response>
  readonly apiKey: number
  readonly version: number
}

// Versions are those that were tried against a real broker.

/** Which versions of which requests a broker takes. */
export const apiVersions: Callable<typeof apiVersionsV4.api> = callable(apiVersionsV4.api)
/** Brokers, and topics with who leads their partitions. */
export const metadata: Callable<typeof metadataV12.api> = callable(metadataV12.api)
/** Offsets of ends and times. */
export const listOffsets: Callable<typeof listOffsetsV9.api> = callable(listOffsetsV9.api)
/** An id for a producer; with a transactional id, an end to whoever had it. */
export const initProducerId: Callable<typeof initProducerIdV4.api> = callable(initProducerIdV4.api)
/** Which broker looks after a group or a transactional id. */
export const findCoordinator: Callable<typeof findCoordinatorV4.api> = callable(findCoordinatorV4.api)
/** Publishes the offsets of a group. */
export const offsetCommit: Callable<typeof offsetCommitV9.api> = callable(offsetCommitV9.api)
/** Makes topics. */
export const createTopics: Callable<typeof createTopicsV7.api> = callable(createTopicsV7.api)
/** Removes topics. */
export const deleteTopics: Callable<typeof deleteTopicsV6.api> = callable(deleteTopicsV6.api)
/** Settings of topics. */
export const describeConfigs: Callable<typeof describeConfigsV4.api> = callable(describeConfigsV4.api)
/** Sizes on disk. */
export const describeLogDirs: Callable<typeof describeLogDirsV4.api> = callable(describeLogDirsV4.api)
/** Adds partitions to a transaction, where produce requests do not. */
export const addPartitionsToTxn: Callable<typeof addPartitionsToTxnV3.api> = callable(addPartitionsToTxnV3.api)
/** Agrees on how to log in. */
export const saslHandshake: Callable<typeof saslHandshakeV1.api> = callable(saslHandshakeV1.api)

/** The request of a fetch; its answer is read by our own parser. */
export const writeFetchRequest: typeof fetchV17.createRequest = fetchV17.createRequest

/** A request of our own. */
export function ownCall<Args extends readonly unknown[], Response>(
  apiKey: number,
  version: number,
  createRequest: (...args: Args) => Writer,
  parse: ResponseParser<Response>,
): Call<Args, Response> {
  const call = (wire: Wire, ...args: Args): Promise<Response> =>
    new Promise((resolve, reject) => {
      wire.send(
        apiKey,
        version,
        () => createRequest(...args),
        parse,
        true,
        true,
        settling(resolve as (response: unknown) => void, reject),
      )
    })
  return Object.assign(call, { apiKey, version })
}

/** Credentials for SASL. */
export type SaslCredentials =
  | { readonly mechanism: 'PLAIN' | ScramMechanism; readonly username: string; readonly password: string }
  | { readonly mechanism: 'OAUTHBEARER'; readonly token: string }

type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-512'

/** Proves who we are, after the handshake has agreed on the mechanism. Resolves to how long the broker takes that for granted, ms; 0 for ever. */
export async function authenticate(wire: Wire, credentials: SaslCredentials): Promise<number> {
  const { api } = saslAuthenticateV2
  const connection = wire as unknown as Parameters<typeof api>[0]
  const { sessionLifetimeMs } = await exchange()
  return Number(sessionLifetimeMs)

  function exchange(): Promise<{ readonly sessionLifetimeMs: bigint }> {
    switch (credentials.mechanism) {
      case 'OAUTHBEARER':
        return saslOAuthBearer.authenticate(api, connection, credentials.token, {})
      case 'PLAIN':
        return saslPlain.authenticate(api, connection, credentials.username, credentials.password)
      case 'SCRAM-SHA-256':
        return saslScramSha.authenticate(api, connection, 'SHA-256', credentials.username, credentials.password)
      case 'SCRAM-SHA-512':
        return saslScramSha.authenticate(api, connection, 'SHA-512', credentials.username, credentials.password)
    }
  }
}

/** Name and meaning of an error code. */
export function describeErrorCode(code: number): { readonly name: string; readonly meaning: string } {
  const name = protocolErrorsCodesById[code] ?? `error ${code}`
  return { name, meaning: protocolErrors[name]?.message ?? '' }
}

/** Of an error that the library made out of an answer: the first error code in it. */
export function errorCodeOf(error: unknown): number | undefined {
  for (let cause = error; typeof cause === 'object' && cause !== null; cause = (cause as { cause?: unknown }).cause) {
    const [first] = (cause as { errors?: readonly { readonly apiCode?: unknown }[] }).errors ?? []
    if (typeof first?.apiCode === 'number') return first.apiCode
  }
  return undefined
}

type LibraryApi<Args extends unknown[], Response> = {
  (connection: never, ...args: Args): void
  readonly async: (connection: never, ...args: Args) => Promise<Response>
  readonly key: number
  readonly version: number
}

type Callable<Api> = Api extends { readonly async: (connection: never, ...args: infer Args) => Promise<infer Response> }
  ? Call<Args, Response>
  : never

/** The library throws a whole answer away when one item of it holds an error code; the answer hangs on that error. */
function callable<Args extends unknown[], Response>(api: LibraryApi<Args, Response>): Call<Args, Response> {
  const call = async (wire: Wire, ...args: Args): Promise<Response> => {
    try {
      return await api.async(wire as never, ...args)
    } catch (error) {
      const { response } = error as { readonly response?: Response }
      if (response === undefined) throw error
      return response
    }
  }
  return Object.assign(call, { apiKey: api.key, version: api.version })
}

function settling(
  resolve: (response: unknown) => void,
  reject: (error: Error) => void,
): (error: Error | null, response?: unknown) => void {
  return (error, response) => (error ? reject(error) : resolve(response))
}
