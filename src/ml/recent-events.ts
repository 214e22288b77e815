import type { ByteReader, ByteWriter } from '../base/bytes.ts'
import type { ModelEvent, ModelEventKind, PartEvent } from './model-event.ts'

/** Events of a part that are remembered: the newest. */
const PART_EVENTS_MAX = 20

/** By code. */
const KINDS: readonly ModelEventKind[] = ['drift', 'warning', 'rollback', 'promotion', 'refused']

/** What has happened to each part of a model lately. The same for any cut into epochs, so it can be state. */
export class RecentEvents {
  /** By name of the part, oldest first. */
  readonly #parts = new Map<string, readonly ModelEvent[]>()

  add(events: readonly PartEvent[]): void {
    for (const { part, ...event } of events) {
      this.#parts.set(part, [...this.of(part), event].slice(-PART_EVENTS_MAX))
    }
  }

  /** Of one part, oldest first. */
  of(part: string): readonly ModelEvent[] {
    return this.#parts.get(part) ?? []
  }

  write(writer: ByteWriter): void {
    const parts = [...this.#parts].sort(([left], [right]) => (left < right ? -1 : 1))
    writer.varint(parts.length)
    for (const [part, events] of parts) {
      writer.text(part)
      writer.varint(events.length)
      for (const { kind, outcome, predicted, version, toVersion, reason } of events) {
        writer.varint(KINDS.indexOf(kind))
        for (const count of [outcome, predicted, version]) writer.varint(count)
        writer.varint(toVersion === null ? 0 : toVersion + 1)
        writer.text(reason)
      }
    }
  }

  restore(reader: ByteReader): void {
    this.#parts.clear()
    for (let left = reader.count(); left > 0; left--) {
      const part = reader.text()
      this.#parts.set(
        part,
        Array.from({ length: reader.count() }, () => readEvent(reader)),
      )
    }
  }
}

function readEvent(reader: ByteReader): ModelEvent {
  const code = reader.varint()
  const kind = KINDS[code]
  if (!kind) throw reader.corrupt(`event ${code} of ${KINDS.length}`)
  const [outcome, predicted, version, to] = [reader.varint(), reader.varint(), reader.varint(), reader.varint()]
  return { kind, outcome, predicted, version, toVersion: to === 0 ? null : to - 1, reason: reader.text() }
}
