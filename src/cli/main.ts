import { enableCompileCache } from 'node:module'
import { runProgram } from './program.ts'

// Types are stripped once, not at each start.
enableCompileCache()
process.exitCode = await runProgram(process.argv.slice(2))
