import { access, constants, mkdir, statfs } from 'node:fs/promises'
import { createServer } from 'node:net'
import { settingOption } from '../config/apply.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { printJson } from '../output.ts'
import { type Check, checkCheckpoints, checkPostgres, checkResultStore } from '../state-checks.ts'
import type { DefineCommand } from './index.ts'

interface DoctorOptions {
  readonly home: string
  readonly host: string
  readonly port: number
  readonly checkpoint?: string
  readonly json?: boolean
}

const FREE_BYTES_MIN = 1e9

/** `millrace doctor`: looks at what a run needs, and says what to do about what is missing. */
export const defineDoctor: DefineCommand = (program, exit) => {
  const command = program
    .command('doctor')
    .description('check this machine for what Millrace needs')
    .addOption(settingOption('home'))
    .addOption(settingOption('host'))
    .addOption(settingOption('port'))
    .option('--checkpoint <folder>', 'look at this checkpoint instead of those of the home folder')
    .option('--json', 'as JSON')
    .action(async (options: DoctorOptions) => {
      const checks = await runChecks(homeAt(options.home).path, options)
      if (options.json) printJson(checks)
      else for (const check of checks) process.stdout.write(line(check))
      if (checks.some((check) => check.unfitting)) exit(4)
      else exit(checks.every((check) => check.fine) ? 0 : 3)
    })
  showExamples(command, [['millrace doctor', 'says what is missing, and what to do']])
}

async function runChecks(home: string, { host, port, checkpoint }: DoctorOptions): Promise<Check[]> {
  return [
    nodeVersion(),
    await homeWritable(home),
    await diskSpace(home),
    await portFree(host, port),
    ...(await checkCheckpoints(home, checkpoint)),
    ...(await checkResultStore(home)),
    ...(await checkPostgres(process.env['MILLRACE_POSTGRES_URL'])),
  ]
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

function portFree(host: string, port: number): Promise<Check> {
  const fix = 'end what listens there, or use --port'
  return new Promise((done) => {
    const server = createServer()
    server.once('error', (error) => done({ name: 'port', fine: false, detail: error.message, fix }))
    server.listen(port, host, () => {
      server.close(() => done({ name: 'port', fine: true, detail: `${port} is free`, fix }))
    })
  })
}

function line({ name, fine, detail, fix }: Check): string {
  return `${fine ? 'ok    ' : 'FAILED'}  ${name.padEnd(6)} ${detail}${fine ? '' : `\n        ${fix}`}\n`
}
