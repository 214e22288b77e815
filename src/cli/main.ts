import { watchReader } from './output.ts'
import { runProgram } from './program.ts'
import { exitCodeOf, reportError } from './report-error.ts'

process.on('uncaughtException', (error) => {
  reportError(error)
  process.exit(exitCodeOf(error) || 1)
})
watchReader()
process.exitCode = await runProgram(process.argv.slice(2))
