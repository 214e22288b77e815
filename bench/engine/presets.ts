import { clickEvent, clickEventRules, logSource, type PipelinePlan } from '../../src/index.ts'
import { PRESETS } from '../../src/pipelines/index.ts'
import type { QueryNode, SourceNode } from '../../src/plan/node.ts'

const SOURCE: SourceNode = {
  kind: 'source',
  source: logSource('events'),
  schema: { fields: clickEvent.fields },
  rules: clickEventRules,
}

/** The windowed queries of some presets in one pipeline over canonical events, each with the steps and the delay of its preset. */
export function presetsPipeline(names: readonly string[]): PipelinePlan {
  const queries = names.flatMap((preset) => {
    const plan = PRESETS.get(preset)?.build()
    const windowed = plan?.queries.filter(({ root }) => root.kind === 'aggregate') ?? []
    return windowed.map(({ name, root }) => ({
      name: `${preset.replaceAll('-', '_')}_${name}`,
      root: overCanonicalEvents(root),
      sinks: [],
    }))
  })
  return { millracePlan: 1, name: 'presets', queries }
}

/** The columns of the dialects have the names of the canonical event; times of a benchmark know no clock that they could be ahead of. */
function overCanonicalEvents(node: QueryNode): QueryNode {
  if (node.kind === 'source') return SOURCE
  const input = overCanonicalEvents(node.input)
  return node.kind === 'watermark' ? { ...node, input, clockSkewMaxMs: null } : { ...node, input }
}
