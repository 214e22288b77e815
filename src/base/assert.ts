/** Stops on a bug of ours: a broken invariant, never bad input. Use at boundaries and per batch, not per row. */
export function assert(condition: unknown, message: string): asserts condition {
  if (!condition) throw new AssertionError(message)
}

/** Marks code that the type checker proves unreachable; a forgotten case becomes a compile error. */
export function unreachable(value: never): never {
  throw new AssertionError(`unreachable: ${JSON.stringify(value)}`)
}

/** A bug in Millrace itself. The message names the invariant that did not hold. */
export class AssertionError extends Error {
  override name = 'AssertionError'
}
