const WHOLE = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 })
const HUNDREDTHS = new Intl.NumberFormat('en-US', { minimumFractionDigits: 2, maximumFractionDigits: 2 })
const COMPACT = new Intl.NumberFormat('en-US', {
  notation: 'compact',
  minimumFractionDigits: 2,
  maximumFractionDigits: 2,
})
const BYTE_UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'] as const

/** A count with its thousands apart. */
export function formatCount(count: number): string {
  return WHOLE.format(count)
}

/** A count that must fit into a narrow place: from ten million on in short form. */
export function formatShortCount(count: number): string {
  return count < 10_000_000 ? WHOLE.format(count) : COMPACT.format(count)
}

/** Three significant digits and a unit, thousands of thousands. */
export function formatBytes(bytes: number): string {
  let value = bytes
  let unit = 0
  while (value >= 999.5 && unit < BYTE_UNITS.length - 1) {
    value /= 1000
    unit++
  }
  const digits = unit === 0 || value >= 99.95 ? 0 : value >= 9.995 ? 1 : 2
  return `${value.toFixed(digits)} ${BYTE_UNITS[unit]}`
}

/** A share of a whole. What is there is never shown as 0 %, what is not all never as 100 %. */
export function formatShare(part: number, whole: number): string {
  if (part === 0 || whole === 0) return '0 %'
  if (part === whole) return '100 %'
  const percent = (100 * part) / whole
  if (percent < 0.01) return '<0.01 %'
  if (percent > 99.99) return '>99.99 %'
  return `${HUNDREDTHS.format(percent)} %`
}

/** A length of time in its two largest units. */
export function formatAge(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1000))
  const minutes = Math.floor(seconds / 60)
  const hours = Math.floor(minutes / 60)
  if (hours >= 24) return `${Math.floor(hours / 24)}d ${hours % 24}h`
  if (hours > 0) return `${hours}h ${pad(minutes % 60)}m`
  return minutes > 0 ? `${minutes}m ${pad(seconds % 60)}s` : `${seconds}s`
}

/** A length of time that the reader need not know exactly. */
export function formatLag(durationMs: number): string {
  return Math.abs(durationMs) < 60_000 ? `${(durationMs / 1000).toFixed(1)} s` : formatAge(durationMs)
}

/** A length of time that was measured, with a digit that says something. */
export function formatTaken(durationMs: number): string {
  return durationMs < 1_000 ? `${durationMs.toFixed(1)} ms` : formatLag(durationMs)
}

/** The exact length of a window or a delay, as short as it gets: `90000` is `1m 30s`. */
export function formatSpan(durationMs: number): string {
  if (durationMs < 1000) return `${durationMs}ms`
  const units = [
    [86_400_000, 'd'],
    [3_600_000, 'h'],
    [60_000, 'm'],
    [1000, 's'],
  ] as const
  let rest = durationMs
  const parts = units.flatMap(([unitMs, unit]) => {
    const count = Math.floor(rest / unitMs)
    rest -= count * unitMs
    return count > 0 ? [`${count}${unit}`] : []
  })
  return parts.join(' ')
}

/** Time of day in UTC; all times on the page are, like those in the results. */
export function formatTime(timeMs: number, precision: 'minute' | 'second' | 'tenth' = 'second'): string {
  const length = { minute: 16, second: 19, tenth: 21 }[precision]
  return isoText(timeMs).slice(11, length)
}

/** A text of the server with its times as the page shows them: without the date, which is that of the axis. */
export function withShortTimes(text: string): string {
  return text.replaceAll(/\d{4}-\d\d-\d\dT(\d\d:\d\d:\d\d\.\d)\d*Z/g, '$1')
}

export function formatDate(timeMs: number): string {
  return isoText(timeMs).slice(0, 10)
}

/** Date and time in UTC, for where there is room. */
export function formatDateTime(timeMs: number): string {
  return isoText(timeMs).slice(0, 19).replace('T', ' ')
}

/** A window by its bounds; the seconds are left out where there are none, the day is given where it is not the other bound's. */
export function formatWindow(startMs: number, endMs: number): string {
  const precision = startMs % 60_000 === 0 && endMs % 60_000 === 0 ? 'minute' : 'second'
  if (endMs - startMs >= 86_400_000) return `${formatDate(startMs)} – ${formatDate(endMs)}`
  return `${formatTime(startMs, precision)} – ${formatTime(endMs, precision)}`
}

/** A cell of a result as text that fits into a narrow column; `null` is for the caller to show as such. */
export function formatCell(value: string | number | boolean, type: string): string {
  if (typeof value !== 'number') return String(value)
  if (type === 'timestamp') return formatDateTime(value)
  const size = Math.abs(value)
  if (size >= 10_000_000) return COMPACT.format(value)
  const fraction = type === 'decimal' || !Number.isInteger(value)
  return fraction && size < 100_000 ? HUNDREDTHS.format(value) : WHOLE.format(value)
}

/** Not every number is a date. */
function isoText(timeMs: number): string {
  return Math.abs(timeMs) <= 8.64e15 ? new Date(timeMs).toISOString() : '????-??-??T??:??:??.???'
}

function pad(value: number): string {
  return String(value).padStart(2, '0')
}
