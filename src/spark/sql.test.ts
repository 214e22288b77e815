import assert from 'node:assert/strict'
import { test } from 'node:test'
import { sqlName, sqlText } from './sql.ts'

test('a text is one token of SQL, whatever it holds, and valid UTF-8', () => {
  assert.equal(sqlText('it\'s \\ "q" `b` \u0000'), "'it\\'s \\\\ \"q\" `b` \u0000'")
  assert.equal(sqlText('half \ud800, whole \u{1f5fc}'), "'half \ufffd, whole \u{1f5fc}'")
})

test('a name is one token of SQL', () => {
  assert.equal(sqlName('a`b.c\\'), '`a``b.c\\`')
})
