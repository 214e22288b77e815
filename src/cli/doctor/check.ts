/** Names of what the doctor looks at. */
export type CheckName =
  | 'node'
  | 'packages'
  | 'memory'
  | 'home'
  | 'disk'
  | 'output'
  | 'port'
  | 'kafka'
  | 'topic'
  | 'postgres'
  | 'checkpoint'
  | 'results'

/** What the doctor found. */
export interface Finding {
  readonly name: CheckName
  readonly fine: boolean
  readonly detail: string
  /** What to do when it is not fine, or what to know although it is. */
  readonly fix: string
  /** The fix is worth telling although all is fine. */
  readonly note?: boolean
  /** State that is there and does not fit, rather than something that is missing. */
  readonly unfitting?: boolean
}

/** What the doctor is asked to look at. */
export interface DoctorOptions {
  readonly home: string
  readonly host: string
  readonly port: number
  readonly output?: string
  readonly topic?: string
  readonly from?: string
  readonly bootstrapServers?: string
  readonly checkpoint?: string
}
