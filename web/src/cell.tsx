import type { VNode } from 'preact'
import { formatCell } from './format.ts'

const TEXT_MAX = 300
const TITLE_MAX = 1_000

export type CellValue = string | number | boolean | null

/** A value of an event or a result. Text from events stays text: isolated from the direction of what surrounds it, and cut. */
export function Cell({ value, type }: { readonly value: CellValue | undefined; readonly type: string }): VNode {
  if (value === null || value === undefined) return <i class="muted">{type === 'string' ? 'null' : '–'}</i>
  if (value === '') return <i class="muted">empty</i>
  const text = formatCell(value, type)
  if (typeof value === 'number') return <span title={String(value)}>{text}</span>
  if (typeof value === 'boolean') return <>{text}</>
  return <bdi title={text.slice(0, TITLE_MAX)}>{text.slice(0, TEXT_MAX)}</bdi>
}
