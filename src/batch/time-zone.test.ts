import assert from 'node:assert/strict'
import { test } from 'node:test'
import { TimeZone } from './time-zone.ts'

function utc(zone: TimeZone, local: string): string {
  return new Date(zone.toUtc(Date.parse(`${local}Z`))).toISOString()
}

test('turns local times into UTC on both sides of a change, and again from its memory', () => {
  const zone = new TimeZone('America/New_York')
  for (let round = 0; round < 2; round++) {
    assert.equal(utc(zone, '2025-03-09T01:59:59.999'), '2025-03-09T06:59:59.999Z')
    assert.equal(utc(zone, '2025-03-09T02:00:00'), '2025-03-09T07:00:00.000Z')
    assert.equal(utc(zone, '2025-03-09T02:59:59'), '2025-03-09T07:59:59.000Z')
    assert.equal(utc(zone, '2025-03-09T03:00:00'), '2025-03-09T07:00:00.000Z')
    assert.equal(utc(zone, '2025-11-02T00:59:59'), '2025-11-02T04:59:59.000Z')
    assert.equal(utc(zone, '2025-11-02T01:30:00'), '2025-11-02T05:30:00.000Z')
    assert.equal(utc(zone, '2025-11-02T02:00:00'), '2025-11-02T07:00:00.000Z')
  }
})

test('knows zones with odd offsets, half-hour changes and days that were left out', () => {
  assert.equal(utc(new TimeZone('Asia/Kathmandu'), '2025-06-01T05:45:00'), '2025-06-01T00:00:00.000Z')
  assert.equal(utc(new TimeZone('Australia/Lord_Howe'), '2025-10-05T02:15:00'), '2025-10-04T15:45:00.000Z')
  assert.equal(utc(new TimeZone('Australia/Lord_Howe'), '2025-04-06T01:45:00'), '2025-04-05T14:45:00.000Z')
  // Samoa went over the date line: there was no 30 December 2011.
  assert.equal(utc(new TimeZone('Pacific/Apia'), '2011-12-29T23:59:59'), '2011-12-30T09:59:59.000Z')
  assert.equal(utc(new TimeZone('Pacific/Apia'), '2011-12-31T00:00:00'), '2011-12-30T10:00:00.000Z')
  // Liberia's clocks went forward by 44 minutes and 30 seconds, in the middle of a quarter of an hour.
  assert.equal(utc(new TimeZone('Africa/Monrovia'), '1972-01-07T00:44:30'), '1972-01-07T00:44:30.000Z')
  assert.equal(utc(new TimeZone('Africa/Monrovia'), '1972-01-07T00:44:29'), '1972-01-07T01:28:59.000Z')
  assert.equal(utc(new TimeZone('Africa/Monrovia'), '1972-01-06T23:59:59'), '1972-01-07T00:44:29.000Z')
})

test('a zone that does not exist is an error that names it', () => {
  assert.throws(() => new TimeZone('Mars/Olympus'), {
    code: 'invalid-plan',
    message: '"Mars/Olympus" is not a time zone',
    hint: 'use an IANA name such as "Europe/Paris" or "UTC"',
  })
})
