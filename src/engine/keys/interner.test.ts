import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { compareBytes } from '../../base/bytes.ts'
import { Interner } from './interner.ts'

const values = fc.array(fc.uint8Array({ maxLength: 6 }), { maxLength: 400, size: 'max' })

test('the same bytes give the same id, ids are dense, and bytes come back', () => {
  fc.assert(
    fc.property(values, fc.integer(), (list, seed) => {
      const interner = new Interner(seed)
      const known = new Map<string, number>()
      for (const bytes of list) {
        const text = Buffer.from(bytes).toString('hex')
        const id = known.get(text) ?? known.size
        known.set(text, id)
        assert.equal(interner.intern(bytes), id)
      }
      assert.equal(interner.size, known.size)
      for (const [text, id] of known) assert.equal(Buffer.from(interner.bytes(id)).toString('hex'), text)
    }),
  )
})

test('ids are ordered as their bytes are', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 6 }), fc.uint8Array({ maxLength: 6 }), (left, right) => {
      const interner = new Interner(1)
      const [one, other] = [interner.intern(left), interner.intern(right)]
      assert.equal(Math.sign(interner.compare(one, other)), Math.sign(compareBytes(left, right)))
    }),
  )
})
