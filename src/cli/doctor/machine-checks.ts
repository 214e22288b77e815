import { access, constants, stat, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { freemem } from 'node:os'
import { dirname, resolve } from 'node:path'
import type { CheckName, Finding } from './check.ts'

const FREE_BYTES_MIN = 1e9
/** The demo needs about a third of it. */
const MEMORY_BYTES_MIN = 500e6

/** Node runs the sources as they are, which older ones do not. */
export function checkNode(version: string): Finding {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  const fine = major > 22 || (major === 22 && minor >= 18)
  const fix = 'install Node 22.18 or newer, or keep optional packages, which bring one'
  return { name: 'node', fine, detail: `v${version}`, fix }
}

/** Packages with native parts: a machine that cannot load them fails late, in the middle of a run. */
export async function checkPackages(): Promise<Finding> {
  const fix = 'run npm ci in the folder of Millrace; all connectors come with it'
  try {
    await Promise.all([import('@duckdb/node-api'), import('parquet-wasm'), import('@platformatic/kafka')])
    return { name: 'packages', fine: true, detail: 'the connectors can be loaded', fix }
  } catch (error) {
    return { name: 'packages', fine: false, detail: messageOf(error), fix }
  }
}

/** Memory that can be had now. */
export function checkMemory(free: number = freemem()): Finding {
  return {
    name: 'memory',
    fine: free >= MEMORY_BYTES_MIN,
    detail: `${(free / 1e9).toFixed(1)} GB free`,
    fix: 'end what needs much memory, or read less at once: --rows-per-epoch, --parallelism 1',
  }
}

/** The folder that log, checkpoints and dead letters go to. */
export function checkHome(home: string): Promise<Finding> {
  return checkFolder('home', home, 'choose another folder with --home or MILLRACE_HOME')
}

/** The folder that results go to. */
export function checkOutput(output: string): Promise<Finding> {
  const fix = 'choose another folder with --output or OUTPUT_PATH, or make it writable: chown, chmod u+w'
  return checkFolder('output', output, fix)
}

/** Room where the home is. */
export async function checkDisk(home: string): Promise<Finding> {
  const folder = await nearestFolder(home)
  try {
    const { bavail, bsize } = await statfs(folder)
    const free = bavail * bsize
    return {
      name: 'disk',
      fine: free >= FREE_BYTES_MIN,
      detail: `${(free / 1e9).toFixed(1)} GB free for ${folder}`,
      fix: 'free at least 1 GB',
    }
  } catch (error) {
    return { name: 'disk', fine: false, detail: messageOf(error), fix: 'see that this folder can be looked at' }
  }
}

/** Whether a run may write to a folder. It makes what is missing of it, so that the nearest one that is there counts. */
async function checkFolder(name: CheckName, path: string, fix: string): Promise<Finding> {
  const folder = await nearestFolder(path)
  try {
    if (!(await stat(folder)).isDirectory()) return { name, fine: false, detail: `${folder} is a file`, fix }
    await access(folder, constants.W_OK | constants.X_OK)
    return { name, fine: true, detail: `${folder} can be written`, fix }
  } catch (error) {
    return { name, fine: false, detail: messageOf(error), fix }
  }
}

/** The path itself, or the nearest above it that is there. */
async function nearestFolder(path: string): Promise<string> {
  let folder = resolve(path)
  for (;;) {
    const there = await stat(folder).then(
      () => true,
      () => false,
    )
    const above = dirname(folder)
    if (there || above === folder) return folder
    folder = above
  }
}

/** The port of the page. */
export function checkPort(host: string, port: number): Promise<Finding> {
  const fix = 'end what listens there, or use --port'
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error) => done({ name: 'port', fine: false, detail: error.message, fix }))
    server.listen(port, host, () => {
      server.close(() => done({ name: 'port', fine: true, detail: `${port} is free`, fix }))
    })
  })
}

/** What an error says. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
