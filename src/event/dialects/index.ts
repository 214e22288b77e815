import type { Dialect } from '../dialect.ts'
import { ecommerce } from './ecommerce.ts'
import { onlineModel } from './online-model.ts'
import { pageGeoSessions } from './page-geo-sessions.ts'
import { urlDeviceActivity } from './url-device-activity.ts'
import { userActivity } from './user-activity.ts'

/** All dialects by name, which is also that of the preset that reads it. */
export const dialects: ReadonlyMap<string, Dialect> = new Map(
  [onlineModel, pageGeoSessions, urlDeviceActivity, ecommerce, userActivity].map((dialect) => [dialect.name, dialect]),
)
