/** Objects of the same shape as lines of text: numbers to the right, nothing that could steer a terminal. */
export function textTable(rows: readonly Readonly<Record<string, unknown>>[]): string {
  const names = Object.keys(rows[0] ?? {})
  const columns = names.map((name) => {
    const cells = rows.map((row) => printable(row[name]))
    const width = Math.max(name.length, ...cells.map((cell) => cell.length))
    const right = rows.every((row) => row[name] === null || typeof row[name] === 'number')
    return [name, ...cells].map((cell) => (right ? cell.padStart(width) : cell.padEnd(width)))
  })
  if (names.length === 0) return ''
  return Array.from(
    { length: rows.length + 1 },
    (_, line) =>
      `${columns
        .map((cells) => cells[line])
        .join('  ')
        .trimEnd()}\n`,
  ).join('')
}

/** A value as a person reads it. */
export function printable(value: unknown): string {
  if (value === null || value === undefined) return ''
  const text = typeof value === 'string' ? value : JSON.stringify(value)
  return text.replace(/[\u0000-\u001f\u007f-\u009f]/g, '�')
}
