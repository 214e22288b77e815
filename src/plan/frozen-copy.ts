/** A copy of plain data that nobody can change, down to its leaves; members that are undefined are left out. */
export function frozenCopy<T>(data: T): T {
  if (typeof data !== 'object' || data === null) return data
  if (Array.isArray(data)) return Object.freeze(data.map(frozenCopy)) as T
  const members = Object.entries(data).filter(([, member]) => member !== undefined)
  return Object.freeze(Object.fromEntries(members.map(([name, member]) => [name, frozenCopy(member)]))) as T
}
