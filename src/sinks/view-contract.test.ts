/** What a view must do: show an epoch once, after it is committed, and keep nothing. A view joins with one entry in `VIEWS`. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HOSTILE_TEXTS } from '../../test/support/hostile-texts.ts'
import { SINK_FIELDS, SINK_KEYS, sinkBatch } from '../../test/support/sink-rows.ts'
import { consoleSink } from '../plan/connectors.ts'
import { createSink } from './index.ts'
import type { Sink, SinkEpoch } from './sink.ts'

/** Makes the view; what it shows goes to `show`. */
const VIEWS: Readonly<Record<string, (show: (text: string) => void) => Promise<Sink>>> = {
  console: (show) =>
    createSink(consoleSink({ rowsMax: 100 }), {
      pipeline: 'contract',
      query: 'q',
      name: 'q.console',
      fields: SINK_FIELDS,
      keyColumns: SINK_KEYS,
      workingFolder: '/',
      owner: 'nobody',
      print: show,
    }),
}

for (const [name, open] of Object.entries(VIEWS)) {
  const check = (what: string, run: (view: Sink, shown: string[]) => Promise<void>): void => {
    test(`${name}: ${what}`, async () => {
      const shown: string[] = []
      const view = await open((text) => shown.push(text))
      assert.equal(view.view, true)
      assert.equal(await view.open(1), undefined)
      await run(view, shown)
      await view.close()
    })
  }

  check('shows an epoch once, when it is committed, and has no mark', async (view, shown) => {
    const prepared = await view.prepare(at(1), sinkBatch([{ page: '/home', views: 42 }]))
    assert.deepEqual(shown, [])
    await view.commit(at(1), prepared)
    await view.commit(at(1), prepared)
    await view.forget(1)
    assert.equal(shown.length, 1)
    assert.match(shown.join(), /\/home\s+42/)
    assert.equal(await view.progress(), undefined)
  })

  check(
    'an epoch that it never prepared, as after a restart, and one without rows show nothing',
    async (view, shown) => {
      await view.commit(at(7), { rows: 1, bytes: 0, files: [] })
      await view.commit(at(8), await view.prepare(at(8), sinkBatch([])))
      assert.deepEqual(shown, [])
    },
  )

  check('no text of an event steers the terminal', async (view, shown) => {
    const rows = [...HOSTILE_TEXTS, 'a\u001b[2Jb\u009b31mc\rd'].map((page, views) => ({ page, views }))
    await view.commit(at(1), await view.prepare(at(1), sinkBatch(rows)))
    assert.doesNotMatch(shown.join(), /[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/)
    assert.equal(shown.join().trimEnd().split('\n').length, 2 + rows.length)
  })
}

function at(epoch: number): SinkEpoch {
  return { epoch, previous: epoch - 1, fence: 1, hash: `hash of ${epoch}` }
}
