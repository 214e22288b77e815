import { Option } from 'commander'
import { settingOption } from '../config/apply.ts'
import type { DefineCommand } from '../define-command.ts'
import type { DoctorOptions, Finding } from '../doctor/check.ts'
import {
  checkDisk,
  checkHome,
  checkMemory,
  checkNode,
  checkOutput,
  checkPackages,
  checkPort,
} from '../doctor/machine-checks.ts'
import { checkLog, checkPostgres } from '../doctor/server-checks.ts'
import { checkCheckpoints, checkResultStore } from '../doctor/state-checks.ts'
import { troublesPage } from '../doctor/troubles.ts'
import { showExamples } from '../help.ts'
import { homeAt } from '../home.ts'
import { printJson } from '../output.ts'

/** `millrace doctor`: looks at what a run needs, and says what to do about what is missing. */
export const defineDoctor: DefineCommand = (program, exit) => {
  const command = program.command('doctor').description('check this machine for what Millrace needs')
  for (const name of ['preset', 'home', 'output', 'topic', 'bootstrap-servers', 'host', 'port'] as const) {
    command.addOption(settingOption(name))
  }
  command
    .option('--checkpoint <folder>', 'look at this checkpoint instead of those of the home folder')
    .option('--json', 'as JSON')
    .addOption(new Option('--markdown', 'the troubles of the source systems, as a page').conflicts('json'))
    .action(async (options: DoctorOptions & { json?: boolean; markdown?: boolean }) => {
      if (options.markdown) return void process.stdout.write(troublesPage())
      const findings = await examine(options)
      if (options.json) printJson(findings)
      else for (const finding of findings) process.stdout.write(line(finding))
      if (findings.some(({ unfitting }) => unfitting)) exit(4)
      else exit(findings.every(({ fine }) => fine) ? 0 : 3)
    })
  showExamples(command, [
    ['millrace doctor', 'says what is missing, and what to do'],
    ['millrace doctor --preset user-activity', 'looks at what that preset needs'],
  ])
}

async function examine(options: DoctorOptions): Promise<Finding[]> {
  const home = homeAt(options.home).path
  return [
    checkNode(process.versions.node),
    await checkPackages(),
    checkMemory(),
    await checkHome(home),
    await checkDisk(home),
    ...(options.output === undefined ? [] : [await checkOutput(options.output)]),
    await checkPort(options.host, options.port),
    ...(await checkLog({ ...options, home })),
    ...(await checkCheckpoints(home, options.checkpoint)),
    ...(await checkResultStore(home)),
    ...(await checkPostgres(process.env)),
  ]
}

function line({ name, fine, detail, fix, note }: Finding): string {
  return `${fine ? 'ok    ' : 'FAILED'}  ${name.padEnd(10)} ${detail}${fine && !note ? '' : `\n        ${fix}`}\n`
}
