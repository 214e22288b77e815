import { styleText } from 'node:util'
import { CommanderError } from 'commander'
import { type ErrorCode, MillraceError, systemErrorCode } from '../base/error.ts'
import { nearestName } from '../plan/nearest-name.ts'
import { say } from './output.ts'

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
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : EXIT_CODES['invalid-option']
  return error instanceof MillraceError ? EXIT_CODES[error.code] : 1
}

/** Says on stderr what went wrong and what to do. A stack trace only where the fault is ours, and only when it is asked for. */
export function reportError(error: unknown, helpCommand = 'millrace --help'): void {
  const { what, hint } = errorText(error, helpCommand)
  say(`${styleText('red', 'error:', { stream: process.stderr })} ${what}`)
  if (hint !== undefined) say(`  hint: ${hint}`)
}

function errorText(error: unknown, helpCommand: string): { what: string; hint?: string } {
  if (error instanceof MillraceError) return { what: error.message, hint: error.hint }
  if (error instanceof CommanderError) return usageText(error.message, helpCommand)
  if (error instanceof Error && systemErrorCode(error)) {
    return { what: error.message, hint: 'the system refused this: see that it is there and may be used' }
  }
  const text = error instanceof Error ? (process.env['MILLRACE_DEBUG'] ? error.stack : error.message) : String(error)
  return {
    what: text ?? 'unknown',
    hint: 'this looks like a bug in millrace; MILLRACE_DEBUG=1 shows where, please report it',
  }
}

/** What is wrong with a command line, in our words and with the way out. */
function usageText(message: string, helpCommand: string): { what: string; hint: string } {
  const [first = '', ...rest] = message.replace(/^error: /, '').split('\n')
  const meant = /\(Did you mean (?:one of )?(.{1,200})\?\)/.exec(rest.join(' '))?.[1] ?? nearestChoice(first)
  const what = first.replace(/\.$/, '')
  if (meant !== undefined) return { what, hint: `did you mean ${meant}?` }
  const quotes = what.startsWith('too many arguments') ? 'a text with spaces goes into quotes; ' : ''
  return { what, hint: `${quotes}\`${helpCommand}\` shows how it is used` }
}

/** What was meant where a value is none of a few. */
function nearestChoice(message: string): string | undefined {
  const [, wrong, choices] = /'(.{1,60})' is invalid.{0,80} Allowed choices are (.{1,400})\.$/.exec(message) ?? []
  return wrong === undefined || choices === undefined ? undefined : nearestName(wrong, choices.split(', '))
}
