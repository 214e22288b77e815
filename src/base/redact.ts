/** Shorter texts are no secrets worth the name: hiding each "a" would make everything else unreadable. */
const SECRET_LENGTH_MIN = 8
const SECRET_NAME = /(^|[_-])(token|password|passwd|secret|api[_-]?key|access[_-]?key)$/i
const REPLACEMENT = '[redacted]'

const secrets = new Set<string>()

/** What stands in for a secret. */
export const REDACTED: string = REPLACEMENT

/** Whether a name says that its value is not for anybody's eyes. */
export function namesSecret(name: string): boolean {
  return SECRET_NAME.test(name)
}

/** From now on `redact` hides this value, also where it is written as JSON or in a URL. At least 8 characters. */
export function keepSecret(value: string): void {
  if (value.length < SECRET_LENGTH_MIN) return
  secrets.add(value)
  secrets.add(JSON.stringify(value).slice(1, -1))
  secrets.add(encodeURIComponent(value))
}

/** Keeps every value whose name says that it is a secret. */
export function keepSecrets(values: Iterable<readonly [name: string, value: string | undefined]>): void {
  for (const [name, value] of values) if (value !== undefined && namesSecret(name)) keepSecret(value)
}

/** The text without any of the secrets that this process knows. */
export function redact(text: string): string {
  let result = text
  for (const secret of secrets) if (result.includes(secret)) result = result.replaceAll(secret, REPLACEMENT)
  return result
}
