import { type ErrorCode, MillraceError, systemErrorCode } from '../base/error.ts'

const EXIT_CODES: Readonly<Record<ErrorCode, number>> = {
  'invalid-plan': 2,
  'invalid-option': 2,
  unsupported: 2,
  'missing-dependency': 3,
  unavailable: 3,
  'corrupt-data': 1,
  'incompatible-state': 4,
  'data-loss': 4,
}

/** 1 finished with failures, 2 usage or configuration, 3 something needed is not there, 4 state does not fit. */
export function exitCodeOf(error: unknown): number {
  return error instanceof MillraceError ? EXIT_CODES[error.code] : 1
}

/** Says on stderr what went wrong and what to do. A stack trace only where the fault is ours. */
export function reportError(error: unknown): void {
  process.stderr.write(`${errorText(error)}\n`)
}

function errorText(error: unknown): string {
  if (error instanceof MillraceError) return `error: ${error.message}\n  hint: ${error.hint}`
  if (error instanceof Error && systemErrorCode(error)) return `error: ${error.message}`
  const text = error instanceof Error ? (process.env['MILLRACE_DEBUG'] ? error.stack : error.message) : String(error)
  return `error: ${text}\n  hint: this looks like a bug in millrace; MILLRACE_DEBUG=1 shows where, please report it`
}
