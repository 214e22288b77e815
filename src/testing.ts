// The public testing kit: twins of real things that live in memory.

export { type Clock, VirtualClock } from './base/clock.ts'
export { MemoryLog } from './log/memory-log.ts'
export { type MemoryRow, type MemorySink, MemoryStore, memorySink } from './sinks/memory-sink.ts'
