import { MillraceError } from '../../base/error.ts'
import { type Batch, RowStatus, rowErrorText } from '../../batch/batch.ts'
import type { Column } from '../../batch/column.ts'
import type { ResultBatch } from '../../batch/result-batch.ts'
import type { Field } from '../../batch/schema.ts'
import { ColumnBuilder } from '../../engine/column-builder.ts'
import { ColumnCollector } from '../../engine/select/column-collector.ts'
import { createDecoder } from '../../job/create-decoder.ts'
import { loadDecoderModule } from '../../job/decoder-module.ts'
import { fileBytes } from '../../sources/file-bytes.ts'
import { lineBatches } from '../../sources/line-batches.ts'
import { jsonRowFields } from '../../spark/encode.ts'

/**
 * The rows that Spark has left in these files, as columns. The files are read piece by piece: beside the columns there are never more than a
 * few pieces of 256 KB in memory. Throws `corrupt-data` at the first row that columns here cannot hold, so that none is lost without a word.
 */
export async function readRelayedRows(files: readonly string[], fields: readonly Field[]): Promise<ResultBatch> {
  const decoder = createDecoder(
    { fields: jsonRowFields(fields), knownMembers: new Set(), hashSeed: 1, dictionaryEntriesMax: 1 },
    loadDecoderModule(() => {}),
  )
  const collectors = fields.map(() => new ColumnCollector(1))
  let rowCount = 0
  for (const file of files) {
    for await (const records of lineBatches(fileBytes(file, new AbortController().signal))) {
      const batch = decoder.decode(records)
      assertAllFine(batch, fields, file)
      const rows = Int32Array.from({ length: batch.rowCount }, (_, row) => row)
      for (const [index, collector] of collectors.entries())
        collector.append(batch.columns[index] as Column, rows, batch.rowCount)
      rowCount += batch.rowCount
    }
  }
  const columns = fields.map((field, index) => collectors[index]?.finish() ?? new ColumnBuilder(field).finish())
  return { fields, columns, rowCount }
}

function assertAllFine(
  { status, error, errorField, offsets, rowCount }: Batch,
  fields: readonly Field[],
  file: string,
): void {
  for (let row = 0; row < rowCount; row++) {
    if (status[row] === RowStatus.fine) continue
    const name = fields[errorField[row] as number]?.name
    const where = name === undefined ? '' : ` in "${name}"`
    throw new MillraceError(
      'corrupt-data',
      `line ${(offsets[row] as number) + 1} of ${file}: ${rowErrorText(error[row] as number)}${where}`,
      {
        hint: 'whole numbers beyond 2^53 and doubles that are not finite fit into no column; the line stays where it is',
      },
    )
  }
}
