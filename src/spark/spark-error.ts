import { MillraceError } from '../base/error.ts'

/** What is known of a call that failed. */
export interface SparkFailure {
  /** First line is for people; the rest may hold SQL and the server's stack. */
  readonly message: string
  /** Code of gRPC; undefined for a query that failed while it ran. */
  readonly grpcCode?: number
  /** Spark's error class, such as `INVALID_HANDLE.SESSION_CHANGED`. */
  readonly errorClass?: string
  readonly sqlState?: string
}

/** A call to Spark, or a query on it, has failed. What the supervisor does depends on `loss`. */
export class SparkError extends MillraceError {
  override name = 'SparkError'
  readonly failure: SparkFailure
  /** What is gone: the server, the session, or a query of an earlier server; nothing when only this call failed. */
  readonly loss: Loss

  constructor(failure: SparkFailure) {
    const { code, hint, loss } = judge(failure)
    super(code, `Spark: ${firstLine(failure)}`, { hint })
    this.failure = failure
    this.loss = loss
  }
}

/** What has to be made anew before work can go on. */
export type Loss = 'nothing' | 'server' | 'session' | 'query'

type Judgement = { readonly code: MillraceError['code']; readonly hint: string; readonly loss: Loss }

const GRPC_UNAVAILABLE = 14
const GRPC_UNAUTHENTICATED = 16
const GRPC_PERMISSION_DENIED = 7
const GRPC_DEADLINE_EXCEEDED = 4
const GRPC_UNIMPLEMENTED = 12

function judge({ message, grpcCode, errorClass = '', sqlState = '' }: SparkFailure): Judgement {
  const of = (code: Judgement['code'], loss: Loss, hint: string): Judgement => ({ code, loss, hint })
  if (grpcCode === GRPC_UNAVAILABLE && /certificate/i.test(message))
    return of('invalid-option', 'nothing', 'name the PEM file of whom to trust in GRPC_DEFAULT_SSL_ROOTS_FILE_PATH')
  if (grpcCode === GRPC_UNAVAILABLE || grpcCode === GRPC_DEADLINE_EXCEEDED)
    return of('unavailable', 'server', 'is the Connect server up at this address? `npm run spark -- start` starts one')
  if (grpcCode === GRPC_UNAUTHENTICATED || grpcCode === GRPC_PERMISSION_DENIED)
    return of('invalid-option', 'nothing', 'put the token that the server wants into SPARK_CONNECT_AUTHENTICATE_TOKEN')
  if (grpcCode === GRPC_UNIMPLEMENTED)
    return of('unsupported', 'nothing', 'this server is too old: Spark 4.0 or newer is needed')
  if (errorClass === 'INVALID_HANDLE.SESSION_CHANGED')
    return of('unavailable', 'server', 'the server was restarted: the queries have to be started again')
  if (/^INVALID_HANDLE\.SESSION|^INVALID_CURSOR\.DISCONNECTED/.test(errorClass))
    return of('unavailable', 'session', 'the session has expired: the queries have to be started again')
  if (errorClass.endsWith('STREAMING_QUERY_NOT_FOUND'))
    return of('unavailable', 'query', 'the query is one of an earlier server: it has to be started again')
  if (/STATE_STORE.*(SCHEMA|METADATA)|STDS_|STATE_SCHEMA/.test(message))
    return of(
      'incompatible-state',
      'nothing',
      'the checkpoint is of another query: give a new --checkpoint-root and --output',
    )
  if (errorClass.startsWith('STREAM_FAILED') || sqlState === 'XXKST')
    return of('unavailable', 'query', 'it is started again from its checkpoint; the server log has more')
  if (sqlState.startsWith('42') || /UNRESOLVED_|PARSE_SYNTAX/.test(errorClass))
    return of('unsupported', 'nothing', 'Spark does not take what was made of the plan: see `millrace plan --spark`')
  return of('unsupported', 'nothing', 'the log of the Spark server has more')
}

function firstLine({ message, errorClass }: SparkFailure): string {
  const line = message.trim().split('\n', 1)[0] ?? ''
  return line === '' ? (errorClass ?? 'it failed without a message') : line.slice(0, 500)
}
