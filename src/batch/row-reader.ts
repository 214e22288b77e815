import { type FieldColumn, ValueKind } from './field-column.ts'
import { JsonScanner } from './json-scanner.ts'
import { MemberTable } from './member-table.ts'
import { ScratchText } from './scratch-text.ts'

/** What the two ways of reading a row share. */
export interface RowReader {
  readonly columns: readonly FieldColumn[]
  /** The column that collects the members that no field reads. */
  readonly rest: FieldColumn | undefined
  readonly scanner: JsonScanner
  readonly scratch: ScratchText
  readonly members: MemberTable
}

/** Makes the shared parts, with empty data. */
export function rowReader(
  columns: readonly FieldColumn[],
  knownMembers: ReadonlySet<string>,
  hashSeed: number,
): RowReader {
  return {
    columns,
    rest: columns.find((column) => column.kind === ValueKind.rest),
    scanner: new JsonScanner(),
    scratch: new ScratchText(),
    members: new MemberTable(columns, knownMembers, hashSeed),
  }
}
