// The queries of `npm run bench -- durability`, kept: in Parquet and PostgreSQL.

import { type Pipeline, parquet, pipeline, postgres } from '../../src/index.ts'
import { QUERIES } from './queries.ts'

const lasting: Pipeline = pipeline('lasting')
  .query('page_views', QUERIES.page_views, [parquet('page_views'), postgres('page_views')])
  .query('devices', QUERIES.devices, [parquet('devices'), postgres('devices')])
  .query('visitors', QUERIES.visitors, [parquet('visitors'), postgres('visitors')])

export default lasting
