/**
 * What went wrong outside of Millrace: with the world, or with what the user asked for.
 * A new code only when a program would react differently. `unavailable` is the only one worth retrying.
 */
export type ErrorCode =
  | 'invalid-plan'
  | 'invalid-option'
  | 'unsupported'
  | 'missing-dependency'
  | 'unavailable'
  | 'corrupt-data'
  | 'incompatible-state'
  | 'data-loss'

/** The one error type for the world and the user. The message starts lower case and names the values; the hint says what to do. */
export class MillraceError extends Error {
  override name = 'MillraceError'
  readonly code: ErrorCode
  readonly hint: string

  constructor(code: ErrorCode, message: string, options: { hint: string; cause?: unknown }) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    this.hint = options.hint
  }
}

/** The system's error code (`ENOENT`, `EADDRINUSE`, ...) of an unknown thrown value, if it has one. */
export function systemErrorCode(error: unknown): string | undefined {
  if (!(error instanceof Error) || !('code' in error)) return undefined
  return typeof error.code === 'string' ? error.code : undefined
}

/** Whether a file was asked for that is not there, also when that is already said in words. */
export function isMissing(error: unknown): boolean {
  return systemErrorCode(error instanceof MillraceError ? error.cause : error) === 'ENOENT'
}
