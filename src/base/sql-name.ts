/** A name as SQL takes it, whatever words and letters it has: `"schema"."table"` of two. */
export function quoted(...names: readonly string[]): string {
  return names.map((name) => `"${name.replaceAll('"', '""')}"`).join('.')
}
