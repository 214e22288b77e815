import assert from 'node:assert/strict'
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { readRelayedRows } from '../../src/cli/spark/relayed-rows.ts'
import { sinkBatches } from '../../src/cli/spark/sink-log.ts'
import { requirement } from '../support/requirement.ts'
import { runMillrace, temporaryFolder } from '../support/run-millrace.ts'
import { testSpark } from '../support/spark.ts'

/** Characters that mean others in a pattern of Hadoop's. */
const ODD = 'a [1] {b,c}'

describe('folders with any characters in their names', requirement('spark'), () => {
  test('are read, written, and found again: the checkpoint of another plan is refused there too', async (t) => {
    const folder = join(await temporaryFolder(t), ODD)
    await mkdir(join(folder, 'in'), { recursive: true })
    await writeFile(join(folder, 'in', 'a.ndjson'), '{"at":"2026-11-26T10:00:00Z","page":"/"}\n')
    const run = async (columns: string) => {
      await writeFile(join(folder, 'visits.ts'), pipelineText(columns))
      const args = ['spark', 'run', 'visits.ts', '--once', '--remote', await testSpark(), '--shuffle-partitions', '1']
      return runMillrace([...args, '--checkpoint-root', `checkpoints ${ODD}`], { cwd: folder })
    }
    const first = await run(`page: 'page'`)
    assert.equal(first.code, 0, first.stderr)
    const files = (await sinkBatches(join(folder, `out ${ODD}`), 0)).flatMap((batch) => batch.files)
    const { rowCount } = await readRelayedRows(files, [
      { name: 'page', type: 'string', required: false, cardinality: 'low' },
    ])
    assert.equal(rowCount, 1)
    const other = await run(`page: 'page', at: 'at'`)
    assert.match(
      other.stderr,
      /the checkpoint of pages\.json is of another plan: .*give the new plan another --checkpoint-root and --output/s,
    )
    assert.equal(other.code, 4, other.stderr)
  })
})

function pipelineText(columns: string): string {
  return `import { defineSchema, fileSource, jsonLines, pipeline, stream, text, timestamp } from 'millrace'
const visits = defineSchema({ at: timestamp({ required: true }), page: text() })
const pages = stream(fileSource('in/*.ndjson'), visits).select({ ${columns} })
export default pipeline('visits').query('pages', pages, [jsonLines('out ${ODD}')])
`
}
