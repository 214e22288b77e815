/** Something to be told about: a number that stays above or below a limit for a while. */
export interface AlertRule {
  readonly name: string
  readonly of: AlertValue
  /** Exactly one of the two is there. */
  readonly above?: number
  readonly below?: number
  /** Where it ends again, so that a number that moves around the limit does not begin and end an alert each second; the limit when absent. */
  readonly clear?: number
  /** So long the number has to be beyond the limit before it is an alert. */
  readonly forMs: number
  readonly notify: readonly AlertTarget[]
}

/** The number: of a metric, or of a column in the newest closed window of a query. */
export type AlertValue =
  | {
      readonly kind: 'metric'
      readonly metric: string
      readonly labels: Readonly<Record<string, string>>
      /** By how much it grew in the last so many ms, in place of where it stands. */
      readonly overMs?: number
      /** Divided by what this metric grew in the same time, or by where it stands: a share. */
      readonly shareOf?: string
    }
  | { readonly kind: 'column'; readonly query: string; readonly column: string }

/** Who is told, besides the history. */
export type AlertTarget =
  | { readonly kind: 'log' }
  | { readonly kind: 'command'; readonly command: string }
  | { readonly kind: 'webhook'; readonly url: string }

/** A number as it stands at one moment, of one series: labels of a metric, or the key of a group. */
export interface AlertSample {
  readonly series: string
  readonly value: number
}
