import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { pathToFileURL } from 'node:url'
import { loadDecoderModule } from './decoder-module.ts'

test('a decoder module that is missing or that nothing here can run is reported once, and is no failure', () => {
  const folder = mkdtempSync(join(tmpdir(), 'millrace-decoder-'))
  try {
    const file = pathToFileURL(join(folder, 'decoder.wasm'))
    const problems: string[] = []
    assert.equal(
      loadDecoderModule((problem) => problems.push(problem), [file]),
      undefined,
    )
    writeFileSync(file, Buffer.from('0061736d01000000ff', 'hex'))
    assert.equal(
      loadDecoderModule((problem) => problems.push(problem), [file]),
      undefined,
    )
    assert.equal(problems.length, 2)
    assert.equal(problems[0], 'the WebAssembly decoder is not built')
    assert.match(String(problems[1]), /^the WebAssembly decoder does not run here: /)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('the built decoder module loads', () => {
  assert.ok(loadDecoderModule((problem) => assert.fail(problem)))
})
