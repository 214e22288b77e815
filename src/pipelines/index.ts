import { pageGeoSessions } from './page-geo-sessions.ts'
import type { Preset } from './preset.ts'

/** All presets by name. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map([pageGeoSessions].map((preset) => [preset.name, preset]))
