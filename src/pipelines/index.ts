import { ecommerce } from './ecommerce.ts'
import { onlineModel } from './online-model.ts'
import { pageGeoSessions } from './page-geo-sessions.ts'
import type { Preset } from './preset.ts'
import { urlDeviceActivity } from './url-device-activity.ts'
import { userActivity } from './user-activity.ts'

/** All presets by name. */
export const PRESETS: ReadonlyMap<string, Preset> = new Map(
  [onlineModel, pageGeoSessions, urlDeviceActivity, ecommerce, userActivity].map((preset) => [preset.name, preset]),
)
