import { readFile } from 'node:fs/promises'
import { parseDocument } from 'yaml'
import { z } from 'zod'
import type { AlertRule, AlertTarget } from '../../alerts/alert-rule.ts'
import { MillraceError } from '../../base/error.ts'
import { durationMs } from '../../base/time.ts'

const time = z.string().transform((text, context) => {
  try {
    return durationMs(text as Parameters<typeof durationMs>[0], 'a duration')
  } catch {
    context.addIssue({ code: 'custom', message: `"${text}" is not a duration such as 30s` })
    return z.NEVER
  }
})

const rule = z
  .strictObject({
    name: z.string().regex(/^[A-Za-z0-9_.-]{1,100}$/, 'use letters, digits, "_", "-" and "."'),
    metric: z.string().optional(),
    labels: z.record(z.string(), z.string()).optional(),
    over: time.optional(),
    shareOf: z.string().optional(),
    query: z.string().optional(),
    column: z.string().optional(),
    above: z.number().optional(),
    below: z.number().optional(),
    clear: z.number().optional(),
    for: time.optional(),
    command: z.string().min(1).optional(),
    webhook: z.url({ protocol: /^https?$/ }).optional(),
  })
  .superRefine((one, context) => {
    const problem = (message: string): void => context.addIssue({ code: 'custom', message })
    if ((one.metric === undefined) === (one.query === undefined)) problem('name a metric, or a query and its column')
    if ((one.query === undefined) !== (one.column === undefined)) problem('query and column belong together')
    if ((one.above === undefined) === (one.below === undefined)) problem('give one limit: above or below')
    const { above, below, clear } = one
    if (clear !== undefined && (above !== undefined ? clear > above : clear < (below ?? 0))) {
      problem('clear lies beyond the limit, so that no alert would last')
    }
  })

const file = z.strictObject({ alerts: z.array(rule).min(1) })

/** Rules of a YAML file, whose `alerts` are a list. Throws one `invalid-option` with all that is wrong. */
export async function readAlertRules(path: string): Promise<AlertRule[]> {
  const text = await readFile(path, 'utf8').catch((cause: unknown) => {
    throw new MillraceError('invalid-option', `the alerts in "${path}" cannot be read`, {
      hint: 'name a YAML file',
      cause,
    })
  })
  const document = parseDocument(text)
  const checked = file.safeParse(document.errors.length > 0 ? undefined : document.toJS())
  if (!checked.success) {
    const problems = checked.error.issues.map(({ path: at, message }) => `${at.join('.') || 'the file'}: ${message}`)
    throw new MillraceError('invalid-option', `${path} holds no alerts:\n${problems.join('\n')}`, {
      hint: 'write `alerts:` and a list with name, metric (or query and column), above or below',
    })
  }
  const names = checked.data.alerts.map(({ name }) => name)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) {
    throw new MillraceError('invalid-option', `${path} has two alerts "${twice}"`, {
      hint: 'give each a name of its own',
    })
  }
  return checked.data.alerts.map(ruleOf)
}

function ruleOf(one: z.output<typeof rule>): AlertRule {
  const { name, metric, labels = {}, over, shareOf, query, column, above, below, clear, command, webhook } = one
  const notify: AlertTarget[] = [{ kind: 'log' }]
  if (command !== undefined) notify.push({ kind: 'command', command })
  if (webhook !== undefined) notify.push({ kind: 'webhook', url: webhook })
  return {
    name,
    of:
      metric === undefined
        ? { kind: 'column', query: query ?? '', column: column ?? '' }
        : {
            kind: 'metric',
            metric,
            labels,
            ...(over !== undefined && { overMs: over }),
            ...(shareOf !== undefined && { shareOf }),
          },
    ...(above !== undefined && { above }),
    ...(below !== undefined && { below }),
    ...(clear !== undefined && { clear }),
    forMs: one.for ?? 0,
    notify,
  }
}
