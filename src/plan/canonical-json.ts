/** Members that a reader looks for first, and those that hold everything else, last. All others come by name. */
const FIRST = ['millracePlan', 'kind', 'name']
const LAST = ['queries', 'root', 'sinks', 'input']

/**
 * JSON text in which the members of each object have one order, so that equal data gives equal text, however it was made.
 * Members that are undefined are left out, as in `JSON.stringify`.
 */
export function canonicalJson(data: unknown, indent = 0): string {
  return JSON.stringify(data, (_, value: unknown) => (isPlainObject(value) ? ordered(value) : value), indent)
}

function ordered(object: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const members = Object.entries(object).sort(([left], [right]) => rank(left) - rank(right) || (left < right ? -1 : 1))
  return Object.fromEntries(members)
}

function rank(member: string): number {
  const first = FIRST.indexOf(member)
  if (first >= 0) return first - FIRST.length
  return LAST.indexOf(member) + 1
}

function isPlainObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
