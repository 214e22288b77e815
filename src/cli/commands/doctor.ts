import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { homeAt } from '../home.ts'
import type { DefineCommand } from './index.ts'

interface Check {
  readonly name: string
  readonly fine: boolean
  readonly detail: string
  readonly fix: string
}

const FREE_BYTES_MIN = 1e9

/** `millrace doctor`: looks at what a run needs, and says what to do about what is missing. */
export const defineDoctor: DefineCommand = (program, exit) => {
  program
    .command('doctor')
    .description('check this machine for what Millrace needs')
    .option('--home <folder>', 'where the embedded log and checkpoints are (MILLRACE_HOME, .millrace)')
    .option('--json', 'as JSON')
    .action(async (options: { home?: string; json?: boolean }) => {
      const checks = await runChecks(homeAt(options.home).path)
      if (options.json) process.stdout.write(`${JSON.stringify(checks)}\n`)
      else for (const check of checks) process.stdout.write(line(check))
      exit(checks.every((check) => check.fine) ? 0 : 3)
    })
}

async function runChecks(home: string): Promise<Check[]> {
  return [nodeVersion(), await homeWritable(home), await diskSpace(home), await portFree(8080)]
}

function nodeVersion(): Check {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
  const fine = major > 22 || (major === 22 && minor >= 18)
  return { name: 'node', fine, detail: process.version, fix: 'install Node 22.18 or newer, or keep optional packages' }
}

async function homeWritable(home: string): Promise<Check> {
  const fix = 'choose another folder with --home or MILLRACE_HOME'
  try {
    await mkdir(home, { recursive: true })
    await access(home, constants.W_OK)
    return { name: 'home', fine: true, detail: `${home} can be written`, fix }
  } catch (error) {
    return { name: 'home', fine: false, detail: error instanceof Error ? error.message : String(error), fix }
  }
}

async function diskSpace(home: string): Promise<Check> {
  const stats = await statfs(home).catch(() => undefined)
  const free = stats ? stats.bavail * stats.bsize : 0
  return {
    name: 'disk',
    fine: free >= FREE_BYTES_MIN,
    detail: `${(free / 1e9).toFixed(1)} GB free`,
    fix: 'free at least 1 GB',
  }
}

function portFree(port: number): Promise<Check> {
  const fix = 'end what listens there, or use --port'
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error) => done({ name: 'port', fine: false, detail: error.message, fix }))
    server.listen(port, '127.0.0.1', () => {
      server.close(() => done({ name: 'port', fine: true, detail: `${port} is free`, fix }))
    })
  })
}

function line({ name, fine, detail, fix }: Check): string {
  return `${fine ? 'ok    ' : 'FAILED'}  ${name.padEnd(6)} ${detail}${fine ? '' : `\n        ${fix}`}\n`
}
