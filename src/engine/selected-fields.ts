import type { Field } from '../batch/schema.ts'
import type { PipelinePlan } from '../plan/node.ts'
import { queryChain } from '../plan/query-chain.ts'
import { usedColumns } from '../plan/used-columns.ts'

/**
 * The fields that a decoder has to fill for a pipeline: those that queries, rules and watermarks use, and all required ones, in the
 * order of the schema. Event time is required, whatever the schema says: a row without it belongs to no window.
 */
export function selectedFields(plan: PipelinePlan): Field[] {
  const used = new Set<string>()
  const eventTimes = new Set<string>()
  const fields: Field[] = []
  for (const { root } of plan.queries) {
    const { source, watermark } = queryChain(root)
    if (fields.length === 0) fields.push(...source.schema.fields)
    for (const name of usedColumns(root)) used.add(name)
    if (watermark) eventTimes.add(watermark.column)
  }
  return fields
    .filter((field) => field.required || used.has(field.name))
    .map((field) =>
      eventTimes.has(field.name) && !field.required ? Object.freeze({ ...field, required: true }) : field,
    )
}
