// What `npm run bench -- end-to-end` runs, as a user would write it.

import { jsonLines, type Pipeline, pipeline } from '../../src/index.ts'
import { QUERIES } from './queries.ts'

const endToEnd: Pipeline = pipeline('end-to-end')
  .query('page_views', QUERIES.page_views, [jsonLines('page_views')])
  .query('devices', QUERIES.devices, [jsonLines('devices')])
  .query('visitors', QUERIES.visitors, [jsonLines('visitors')])

export default endToEnd
