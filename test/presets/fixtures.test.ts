import assert from 'node:assert/strict'
import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { describe, test } from 'node:test'
import { PRESETS } from '../../src/pipelines/index.ts'
import { succeed } from '../support/preset-run.ts'
import { temporaryFolder } from '../support/run-millrace.ts'

describe("each preset takes its system's own events unchanged", () => {
  for (const [name, preset] of PRESETS) {
    test(name, async (t) => {
      const fixture = resolve(`src/event/dialects/fixtures/${name}.ndjson`)
      const rows = (await readFile(fixture, 'utf8')).trim().split('\n').length
      const args = ['run', '--preset', name, '--input', fixture, '--once', '--json', '--output', 'out']
      const summary = JSON.parse(await succeed(args, await temporaryFolder(t))) as {
        rowsRead: number
        fates: Record<string, number>
        queries: Record<string, { rows: number }>
      }
      assert.equal(summary.rowsRead, rows)
      assert.equal(summary.fates['accepted'], rows)
      assert.deepEqual(
        Object.keys(summary.queries),
        preset.build().queries.map((query) => query.name),
      )
      for (const [query, result] of Object.entries(summary.queries)) {
        // A model has nothing to say before the first label is due.
        assert.ok(result.rows > 0 || query.startsWith('model_'), query)
      }
    })
  }
})
