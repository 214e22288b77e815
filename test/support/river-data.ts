import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { gunzipSync, inflateRawSync } from 'node:zlib'
import { required } from './requirement.ts'

/** A row of a data set: numbers by column, and what is to be told from them. */
export interface LabelledRow {
  readonly names: readonly string[]
  readonly values: readonly number[]
  readonly label: string
}

/** 1,250 web sites; label `1` for those that phish. */
export function readPhishing(): LabelledRow[] {
  return rowsOf(gunzipSync(read('phishing.csv.gz')).toString('utf8'), 'is_phishing')
}

/** 2,310 pieces of images in seven categories. */
export function readSegments(): LabelledRow[] {
  return rowsOf(firstOfZip(read('segment.csv.zip')).toString('utf8'), 'category')
}

/** River's area under the ROC curve: by so many thresholds, between which the curve is a line. */
export function riverAuc(probabilities: readonly number[], labels: readonly boolean[], thresholds: number): number {
  const positives = labels.filter((label) => label).length
  const points = Array.from({ length: thresholds }, (_, index) => {
    const edge = index === 0 ? -1e-7 : index === thresholds - 1 ? 1e-7 : 0
    const limit = index / (thresholds - 1) + edge
    const share = (wanted: boolean, of: number): number =>
      of === 0 ? 0 : probabilities.filter((one, row) => labels[row] === wanted && one > limit).length / of
    return { hits: share(true, positives), alarms: share(false, labels.length - positives) }
  })
  let area = 0
  for (const [index, { hits, alarms }] of points.entries()) {
    const next = points[index + 1]
    if (next) area -= ((next.alarms - alarms) * (next.hits + hits)) / 2
  }
  return area
}

function read(name: string): Buffer {
  return readFileSync(join(required('data'), 'river-golden', name))
}

function rowsOf(text: string, labelName: string): LabelledRow[] {
  const [head = '', ...lines] = text.trim().split(/\r?\n/)
  const columns = head.split(',')
  const labelAt = columns.indexOf(labelName)
  const names = columns.filter((_, index) => index !== labelAt)
  return lines.map((line) => {
    const cells = line.split(',')
    const values = cells.filter((_, index) => index !== labelAt).map(Number)
    return { names, values, label: cells[labelAt] as string }
  })
}

/** The first file of a ZIP archive, found by its central directory. */
function firstOfZip(zip: Buffer): Buffer {
  const directory = zip.indexOf(Buffer.from([0x50, 0x4b, 1, 2]))
  const packedSize = zip.readUInt32LE(directory + 20)
  const method = zip.readUInt16LE(directory + 10)
  const local = zip.readUInt32LE(directory + 42)
  const start = local + 30 + zip.readUInt16LE(local + 26) + zip.readUInt16LE(local + 28)
  const packed = zip.subarray(start, start + packedSize)
  return method === 0 ? packed : inflateRawSync(packed)
}
