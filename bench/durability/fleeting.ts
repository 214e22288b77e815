// The queries of `npm run bench -- durability`, kept nowhere.

import { memorySink, type Pipeline, pipeline } from '../../src/index.ts'
import { QUERIES } from './queries.ts'

const fleeting: Pipeline = pipeline('fleeting')
  .query('page_views', QUERIES.page_views, [memorySink()])
  .query('devices', QUERIES.devices, [memorySink()])
  .query('visitors', QUERIES.visitors, [memorySink()])

export default fleeting
