import assert from 'node:assert/strict'
import { test } from 'node:test'
import { literalPath } from './places.ts'

test('a pattern made of a path has none of its characters mean others', () => {
  assert.equal(literalPath('s3a://lake/a b/ä,%20'), 's3a://lake/a b/ä,%20')
  assert.equal(literalPath('/a [1] {b,c} *?\\d'), '/a \\[1\\] \\{b,c\\} \\*\\?\\\\d')
})
