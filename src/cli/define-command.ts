import type { Command } from 'commander'

/** Adds a command to the program; `exit` says what the process ends with. */
export type DefineCommand = (program: Command, exit: (code: number) => void) => void
