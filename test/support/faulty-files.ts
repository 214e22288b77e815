import { basename, dirname } from 'node:path'
import type { FileSystem, OpenFile } from '../../src/base/file-system.ts'
import type { Random } from '../../src/base/random.ts'

/** What the disk does to its users. All of it is off at first. */
export interface Faults {
  /** A write takes at most so many bytes at a time. */
  writeBytesMax: number
  /** Bytes that files may still grow by; then writes take what fits, and the next one fails with ENOSPC. */
  bytesFree: number
  /** The so-manyth sync from now on fails with EIO. */
  syncsUntilFailure: number
  /** After so many calls the machine is dead: each further one fails until `powerCut`. */
  callsUntilDeath: number
}

/**
 * A file system in memory that keeps apart what was written and what was synced: the twin of a disk in tests.
 * `powerCut` forgets what was not synced: of a file its content, of a directory the names in it.
 */
export class FaultyFiles implements FileSystem {
  readonly faults: Faults = noFaults()
  #root = new Directory()
  #moves: Move[] = []
  #boot = 0
  #calls = 0

  /** How many calls were made; for choosing where to die. */
  get calls(): number {
    return this.#calls
  }

  /**
   * The machine loses power and starts again: faults are off, files that were open are unusable. Whatever was not synced is lost or,
   * when `survives` is given, kept or lost at random, sector by sector and name by name.
   */
  powerCut(survives?: Random): void {
    this.#settleMoves(survives)
    this.#root.powerCut(survives, new Set())
    this.restart()
  }

  /** Only the process died: the system still has every byte that was written. */
  restart(): void {
    this.#boot++
    Object.assign(this.faults, noFaults())
  }

  /** Flips one bit of a file, on the disk too. */
  flipBit(path: string, bit: number): void {
    const file = this.#file(path)
    file.flip(bit)
  }

  content(path: string): Uint8Array {
    return this.#file(path).bytes.slice()
  }

  /** Replaces a file's content, on the disk too. */
  setContent(path: string, bytes: Uint8Array): void {
    const file = this.#file(path)
    file.bytes = bytes.slice()
    file.synced = file.bytes.slice()
  }

  async open(path: string, flags: 'r' | 'r+' | 'wx+'): Promise<OpenFile> {
    await this.#enter()
    const parent = this.#directory(dirname(path))
    const found = path === '/' ? this.#root : parent.names.get(basename(path))
    if (flags === 'wx+') {
      if (found) throw systemError('EEXIST', path)
      const file = new MemoryFile()
      parent.names.set(basename(path), file)
      return this.#handle(file)
    }
    if (!found) throw systemError('ENOENT', path)
    return this.#handle(found)
  }

  async link(from: string, to: string): Promise<void> {
    await this.#enter()
    const target = this.#directory(dirname(to))
    if (target.names.has(basename(to))) throw systemError('EEXIST', to)
    target.names.set(basename(to), this.#file(from))
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#enter()
    const node = this.#directory(dirname(from)).names.get(basename(from))
    if (!node) throw systemError('ENOENT', from)
    const target = this.#directory(dirname(to))
    const replaced = target.names.get(basename(to))
    if (replaced instanceof Directory && replaced.names.size > 0) throw systemError('ENOTEMPTY', to)
    const source = this.#directory(dirname(from))
    source.names.delete(basename(from))
    target.names.set(basename(to), node)
    if (!(node instanceof Directory)) return
    const place = (directory: Directory, path: string): Place => ({ directory, name: basename(path) })
    this.#moves.push({ node, from: place(source, from), to: place(target, to) })
  }

  async unlink(path: string): Promise<void> {
    await this.#enter()
    this.#file(path)
    this.#directory(dirname(path)).names.delete(basename(path))
  }

  async mkdir(path: string): Promise<void> {
    await this.#enter()
    const parent = this.#directory(dirname(path))
    if (path === '/' || parent.names.has(basename(path))) throw systemError('EEXIST', path)
    parent.names.set(basename(path), new Directory())
  }

  async rmdir(path: string): Promise<void> {
    await this.#enter()
    if (this.#directory(path).names.size > 0) throw systemError('ENOTEMPTY', path)
    this.#directory(dirname(path)).names.delete(basename(path))
  }

  async realpath(path: string): Promise<string> {
    await this.#enter()
    return path
  }

  async readdir(path: string): Promise<string[]> {
    await this.#enter()
    return [...this.#directory(path).names.keys()]
  }

  /**
   * A directory that was moved is in one of its places, as on every file system with a journal: where the disk has it, or where it went
   * from there; or it is gone, if it was removed.
   */
  #settleMoves(survives: Random | undefined): void {
    const placesOf = new Map<Directory, Place[]>()
    for (const { node, from, to } of this.#moves.splice(0)) {
      placesOf.set(node, [...(placesOf.get(node) ?? [from]), to])
    }
    for (const [node, places] of placesOf) {
      const last = places.at(-1) as Place
      const removed = last.directory.names.get(last.name) !== node
      const onDisk = places.findLastIndex(({ directory, name }) => directory.synced(name) === node)
      const choices = places.length - onDisk + (removed ? 1 : 0)
      const chosen = onDisk < 0 ? places.length - (removed ? 0 : 1) : onDisk + (survives?.below(choices) ?? 0)
      for (const { directory, name } of places) directory.settle(name, node, false)
      const place = places[chosen]
      place?.directory.settle(place.name, node, true)
    }
  }

  #handle(node: MemoryFile | Directory): OpenFile {
    const boot = this.#boot
    const file = (): MemoryFile => {
      if (node instanceof Directory) throw systemError('EISDIR', 'directory')
      return node
    }
    const enter = async (): Promise<void> => {
      await this.#enter()
      if (boot !== this.#boot) throw systemError('EBADF', 'opened before the machine went down')
    }
    return {
      read: async (target, position) => {
        await enter()
        const bytes = file().bytes.subarray(position, position + target.length)
        target.set(bytes)
        return bytes.length
      },
      write: async (chunks, position) => {
        await enter()
        return this.#write(file(), Buffer.concat(chunks), position)
      },
      sync: async () => {
        await enter()
        if (--this.faults.syncsUntilFailure <= 0) throw systemError('EIO', 'sync')
        node.sync()
      },
      truncate: async (length) => {
        await enter()
        file().bytes = file().bytes.slice(0, length)
      },
      size: async () => {
        await enter()
        return file().bytes.length
      },
      close: async () => {},
    }
  }

  #write(file: MemoryFile, bytes: Uint8Array, position: number): number {
    const { faults } = this
    const growth = Math.max(0, position + bytes.length - file.bytes.length)
    const fitting = bytes.length - Math.max(0, growth - faults.bytesFree)
    const count = Math.min(fitting, faults.writeBytesMax)
    if (count <= 0) throw systemError('ENOSPC', 'write')
    faults.bytesFree -= Math.max(0, position + count - file.bytes.length)
    file.write(bytes.subarray(0, count), position)
    return count
  }

  async #enter(): Promise<void> {
    const boot = this.#boot
    await Promise.resolve()
    this.#calls++
    if (--this.faults.callsUntilDeath < 0 || boot !== this.#boot) throw systemError('EIO', 'the machine is down')
  }

  #directory(path: string): Directory {
    let directory = this.#root
    for (const name of path.split('/').filter((part) => part !== '')) {
      const next = directory.names.get(name)
      if (!next) throw systemError('ENOENT', path)
      if (!(next instanceof Directory)) throw systemError('ENOTDIR', path)
      directory = next
    }
    return directory
  }

  #file(path: string): MemoryFile {
    const file = this.#directory(dirname(path)).names.get(basename(path))
    if (!file) throw systemError('ENOENT', path)
    if (file instanceof Directory) throw systemError('EISDIR', path)
    return file
  }
}

/** What a disk writes whole or not at all. Small, so that short test files are torn in many places. */
const SECTOR_BYTES = 64

class MemoryFile {
  bytes = new Uint8Array(0)
  synced = new Uint8Array(0)

  write(bytes: Uint8Array, position: number): void {
    if (position + bytes.length > this.bytes.length) this.bytes = resized(this.bytes, position + bytes.length)
    this.bytes.set(bytes, position)
  }

  sync(): void {
    this.synced = this.bytes.slice()
  }

  flip(bit: number): void {
    this.bytes[bit >> 3] ^= 1 << (bit & 7)
    this.sync()
  }

  powerCut(survives: Random | undefined): void {
    const written = this.bytes
    this.bytes = this.synced.slice()
    if (!survives || survives.chance(0.3)) return
    const shortest = Math.min(written.length, this.synced.length)
    const longest = Math.max(written.length, this.synced.length)
    this.bytes = resized(this.synced, shortest + survives.below(longest - shortest + 1))
    for (let at = 0; at < Math.min(written.length, this.bytes.length); at += SECTOR_BYTES) {
      const end = Math.min(at + SECTOR_BYTES, written.length, this.bytes.length)
      if (survives.chance(0.5)) this.bytes.set(written.subarray(at, end), at)
    }
    this.sync()
  }
}

/** Where a directory is. */
interface Place {
  readonly directory: Directory
  readonly name: string
}

/** A directory that went from one place to another. */
interface Move {
  readonly node: Directory
  readonly from: Place
  readonly to: Place
}

class Directory {
  readonly names = new Map<string, MemoryFile | Directory>()
  #synced = new Map<string, MemoryFile | Directory>()

  /** What a name stands for on the disk. */
  synced(name: string): MemoryFile | Directory | undefined {
    return this.#synced.get(name)
  }

  /** Says whether a name stands for this directory, on the disk too. */
  settle(name: string, node: Directory, here: boolean): void {
    for (const map of [this.names, this.#synced]) {
      if (here) map.set(name, node)
      else if (map.get(name) === node) map.delete(name)
    }
  }

  sync(): void {
    this.#synced = new Map(this.names)
  }

  powerCut(survives: Random | undefined, done: Set<MemoryFile | Directory>): void {
    for (const name of new Set([...this.names.keys(), ...this.#synced.keys()])) {
      const kept = survives?.chance(0.5) ? this.names.get(name) : this.#synced.get(name)
      if (kept) this.names.set(name, kept)
      else this.names.delete(name)
    }
    this.sync()
    for (const node of this.names.values()) {
      if (!done.has(node)) {
        done.add(node)
        node.powerCut(survives, done)
      }
    }
  }
}

function noFaults(): Faults {
  const never = Number.POSITIVE_INFINITY
  return { writeBytesMax: never, bytesFree: never, syncsUntilFailure: never, callsUntilDeath: never }
}

function resized(bytes: Uint8Array, length: number): Uint8Array<ArrayBuffer> {
  const result = new Uint8Array(length)
  result.set(bytes.subarray(0, length))
  return result
}

function systemError(code: string, what: string): Error {
  return Object.assign(new Error(`${code}: ${what}`), { code })
}
