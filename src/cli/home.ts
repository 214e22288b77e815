import { join, resolve } from 'node:path'
import type { EmbeddedLog } from '../log/embedded-log.ts'

/** Where Millrace keeps its own things: `log/`, `checkpoints/`, `dead-letters/`. */
export interface Home {
  readonly path: string
  readonly log: string
  checkpoint(pipeline: string): string
  deadLetters(pipeline: string): string
}

/** The folder that the setting names. */
export function homeAt(setting: string | undefined): Home {
  const path = resolve(setting ?? '.millrace')
  return {
    path,
    log: join(path, 'log'),
    checkpoint: (pipeline) => join(path, 'checkpoints', pipeline),
    deadLetters: (pipeline) => join(path, 'dead-letters', pipeline),
  }
}

/** Opens the embedded log of a home; loaded on first use. */
export async function openLog(home: Home, mode: 'read' | 'write', who: string): Promise<EmbeddedLog> {
  const { openEmbeddedLog } = await import('../log/embedded-log.ts')
  return openEmbeddedLog(home.log, { mode, who })
}
