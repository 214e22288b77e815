import { MillraceError } from '../base/error.ts'
import { TimeZone } from '../batch/time-zone.ts'

/** Whether there is a time zone of this IANA name. */
export function timeZoneExists(name: string): boolean {
  try {
    return new TimeZone(name) !== undefined
  } catch (error) {
    if (error instanceof MillraceError) return false
    throw error
  }
}
