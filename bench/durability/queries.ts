import { clickEvent, count, countDistinct, logSource, type Query, sliding, stream, tumbling } from '../../src/index.ts'

const events = stream(logSource('events'), clickEvent).withWatermark('event_time', '10 minutes')

/** Views of pages in sliding windows, devices, and what each visitor does: what `truth.ts` counts too. */
export const QUERIES: Readonly<Record<'page_views' | 'devices' | 'visitors', Query>> = {
  page_views: events.groupBy('page_url').window(sliding('5 minutes', '1 minute')).aggregate({ events: count() }),
  devices: events.groupBy('device', 'browser').window(tumbling('5 minutes')).aggregate({ events: count() }),
  visitors: events
    .groupBy('user_id')
    .window(tumbling('5 minutes'))
    .aggregate({ events: count(), pages: countDistinct('page_url') }),
}
