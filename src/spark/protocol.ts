import type protobuf from 'protobufjs'
import { assert } from '../base/assert.ts'
import { MESSAGES } from './messages.ts'

/** Turns messages of the table in `messages.ts` into bytes and back; plain objects by the names of their fields. */
export interface Protocol {
  /** Throws on a value that the message does not take. */
  encode(message: string, value: object): Buffer
  decode<T>(message: string, bytes: Uint8Array): T
}

/** Loads protobufjs, which nothing else here needs. */
export async function loadProtocol(): Promise<Protocol> {
  const { default: library } = await import('protobufjs')
  const nested = Object.fromEntries(
    Object.entries(MESSAGES).map(([name, line]) => [name, { fields: fieldsOf(line) }] as const),
  )
  const root = library.Root.fromJSON({ nested })
  return {
    encode(message, value) {
      const type = root.lookupType(message)
      const wrong = type.verify(value)
      assert(wrong === null, `${message}: ${wrong}`)
      return Buffer.from(type.encode(type.fromObject(value)).finish())
    },
    decode<T>(message: string, bytes: Uint8Array): T {
      const type = root.lookupType(message)
      return type.toObject(type.decode(bytes), { longs: Number, arrays: true, objects: true }) as T
    },
  }
}

function fieldsOf(line: string): Record<string, protobuf.IField> {
  const fields: Record<string, protobuf.IField> = {}
  for (const part of line.split(',').filter((one) => one !== '')) {
    const [number, name, type] = part.trim().split(' ') as [string, string, string]
    const id = Number(number)
    if (type === 'map') fields[name] = { id, keyType: 'string', type: 'string' } as protobuf.IMapField
    else if (type.endsWith('*')) fields[name] = { id, rule: 'repeated', type: type.slice(0, -1) }
    else fields[name] = { id, type }
  }
  return fields
}
