// What deploy/ says is true of the program: metrics by name and label, files, settings. Docker itself is not run here.

import assert from 'node:assert/strict'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, type TestContext, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { parse } from 'yaml'
import { SETTINGS } from '../src/cli/config/settings.ts'
import { type Running, runMillrace, startMillrace, temporaryFolder } from './support/run-millrace.ts'

const FOLDER = 'deploy'
// The launcher is plain JavaScript without types.
const RUN_NODE = new URL('../bin/run-node.js', import.meta.url).href
const text = (path: string): string => readFileSync(join(FOLDER, path), 'utf8')

interface Service {
  readonly image: string
  readonly command?: readonly string[]
  readonly environment?: Readonly<Record<string, string>>
  readonly ports?: readonly string[]
  readonly volumes?: readonly string[]
  readonly healthcheck?: { readonly test: readonly string[] }
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>
}

const compose = parse(text('compose.yaml'), { merge: true }) as { readonly services: Readonly<Record<string, Service>> }
const alerts = parse(text('alerts.yaml')) as {
  groups: { rules: { alert: string; expr: string; annotations: Record<string, string> }[] }[]
}
const panels = readdirSync(join(FOLDER, 'grafana/dashboards')).flatMap(
  (name) =>
    (
      JSON.parse(text(`grafana/dashboards/${name}`)) as {
        panels: { title: string; targets: { expr: string; legendFormat: string }[] }[]
      }
    ).panels,
)

/** Words of PromQL in our expressions; whatever else is written like a name is one of a metric. */
const PROMQL = ['sum', 'rate', 'increase', 'deriv', 'histogram_quantile', 'by', 'on', 'and', 'or']
/** What Prometheus itself knows of each target. */
const OWN_METRICS = new Map([['up', ['job']]])

describe('dashboards and alert rules', () => {
  const expressions = [
    ...alerts.groups.flatMap(({ rules }) => rules.map(({ alert, expr }) => [alert, expr] as const)),
    ...panels.flatMap(({ title, targets }) => targets.map(({ expr }) => [title, expr] as const)),
  ]

  test('ask for metrics and labels that a running job has', { timeout: 120_000 }, async (t) => {
    const metrics = await metricsOfRuns(t)
    assert.ok(expressions.length > 15)
    for (const [where, expression] of expressions) {
      const { names, labels } = namesIn(expression)
      assert.ok(names.length > 0, where)
      const known = names.flatMap((name) => {
        const found = metrics.get(name) ?? OWN_METRICS.get(name)
        assert.ok(found, `${where}: there is no metric ${name}`)
        return found
      })
      for (const label of labels) assert.ok(known.includes(label), `${where}: there is no label ${label}`)
    }
    for (const { title, targets } of panels) {
      for (const { expr, legendFormat } of targets) {
        const known = namesIn(expr).names.flatMap((name) => metrics.get(name) ?? [])
        for (const [, label] of legendFormat.matchAll(/\{\{(\w+)\}\}/g)) assert.ok(known.includes(label ?? ''), title)
      }
    }
  })

  test('are read for the names that no job may have', () => {
    assert.deepEqual(namesIn('sum by (fate) (rate(made_up_total{rule=~"a|b"}[5m])) > 0.1'), {
      names: ['made_up_total'],
      labels: ['rule', 'fate'],
    })
  })

  test('each alert says what to do', () => {
    for (const { rules } of alerts.groups) {
      for (const { alert, annotations } of rules) assert.ok(annotations['summary'] && annotations['action'], alert)
    }
  })
})

describe('the compose file', () => {
  test('gives each service a health check, waits for it, and publishes ports to this machine only', () => {
    const { services } = compose
    assert.deepEqual(Object.keys(services), ['kafka', 'postgres', 'generator', 'millrace', 'prometheus', 'grafana'])
    for (const [name, service] of Object.entries(services)) {
      assert.ok(service.healthcheck?.test.length, name)
      for (const { condition } of Object.values(service.depends_on ?? {})) assert.equal(condition, 'service_healthy')
      for (const port of service.ports ?? []) assert.match(port, /^127\.0\.0\.1:\d+:\d+$/)
      assert.match(service.image, /^millrace$|:v?\d+/, 'a version that stays')
    }
    const ports = Object.values(services).flatMap((service) => service.ports ?? [])
    assert.equal(new Set(ports).size, ports.length)
  })

  test('mounts and copies files that are there', () => {
    const mounted = Object.values(compose.services)
      .flatMap(({ volumes }) => volumes ?? [])
      .filter((volume) => volume.startsWith('.'))
      .map((volume) => join(FOLDER, volume.split(':')[0] as string))
    const copied = [...text('Dockerfile').matchAll(/^COPY (?!--from)(.+) \S+$/gm)].flatMap(([, paths]) =>
      (paths as string).split(' '),
    )
    assert.ok(mounted.length >= 4 && copied.length >= 4)
    for (const path of [...mounted, ...copied]) assert.ok(existsSync(path), path)
    assert.equal(existsSync('bin/millrace.js'), /"\/app\/bin\/millrace\.js"/.test(text('Dockerfile')))
  })

  test('gives memory back as the command does where it brings its own Node', async () => {
    const { MEMORY_VARIABLES } = (await import(RUN_NODE)) as { MEMORY_VARIABLES: Record<string, string> }
    for (const [name, value] of Object.entries(MEMORY_VARIABLES)) {
      assert.match(text('Dockerfile'), new RegExp(`^ENV .*\\b${name}=${value}\\b`, 'm'))
    }
  })

  test('publishes the ports that README names, Millrace at its own', () => {
    const published = Object.values(compose.services).flatMap(({ ports }) =>
      (ports ?? []).map((port) => port.split(':')[1] as string),
    )
    const told = [...text('README.md').matchAll(/^\| (\d+) \|/gm)].map(([, port]) => port as string)
    assert.deepEqual(told.toSorted(), published.toSorted())
    const port = SETTINGS.find(({ name }) => name === 'port')?.default
    assert.ok(port)
    const { ports, command, healthcheck } = compose.services['millrace'] as Service
    assert.deepEqual(ports, [`127.0.0.1:${port}:${port}`])
    assert.equal(command?.at(-1), port)
    assert.ok(healthcheck?.test.join().includes(`:${port}/healthz`))
    assert.match(text('Dockerfile'), new RegExp(`^EXPOSE ${port}$`, 'm'))
    // Where programs of this machine find Kafka is what Kafka tells them.
    const kafka = compose.services['kafka'] as Service
    assert.ok(
      kafka.environment?.['KAFKA_ADVERTISED_LISTENERS']?.endsWith(`localhost:${kafka.ports?.[0]?.split(':')[1]}`),
    )
    const grafana = parse(text('grafana/provisioning/datasources/prometheus.yaml')) as {
      datasources: { url: string }[]
    }
    const prometheus = (compose.services['prometheus'] as Service).ports?.[0]?.split(':').at(-1)
    assert.deepEqual(
      grafana.datasources.map(({ url }) => url),
      [`http://prometheus:${prometheus}`],
    )
  })

  test('is built by scripts that there are, on a Node that runs the sources', async (t) => {
    const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> }
    const called = [...text('Dockerfile').matchAll(/npm run ([\w:]+)/g)].map(([, name]) => name as string)
    assert.deepEqual(called, ['build:web', 'build:wasm'])
    for (const name of called) assert.ok(scripts[name], name)
    const images = [...text('Dockerfile').matchAll(/^FROM node:(\d+)-slim/gm)].map(([, version]) => Number(version))
    assert.ok(images.length === 2 && images.every((version) => version >= 24), `${images}`)
    const [, shown = '[]'] = /^CMD (\[.*\])$/m.exec(text('Dockerfile')) ?? []
    const command = JSON.parse(shown) as string[]
    const help = await runMillrace([command[0] ?? '', '--help'], { cwd: await temporaryFolder(t) })
    assert.equal(help.code, 0)
    for (const flag of command.filter((word) => /^--(?!no-)/.test(word))) assert.ok(help.stdout.includes(flag), flag)
  })

  test('sets what Millrace understands, and commands that it has', async (t) => {
    const known = new Set([...SETTINGS.flatMap(({ env }) => [...env]), 'DB_HOST', 'DB_USER', 'DB_PASSWORD', 'DB_NAME'])
    const folder = await temporaryFolder(t)
    for (const name of ['generator', 'millrace']) {
      const { command = [], environment = {} } = compose.services[name] as Service
      for (const variable of Object.keys(environment)) assert.ok(known.has(variable), variable)
      const help = await runMillrace([command[0] as string, '--help'], { cwd: folder })
      assert.equal(help.code, 0)
      for (const flag of command.filter((word) => word.startsWith('--'))) assert.ok(help.stdout.includes(flag), flag)
    }
  })

  test('lets Prometheus find the metrics and the rules', () => {
    const prometheus = parse(text('prometheus.yaml')) as {
      rule_files: string[]
      scrape_configs: { metrics_path: string; static_configs: { targets: string[] }[] }[]
    }
    const scraped = prometheus.scrape_configs.map((job) => `${job.static_configs[0]?.targets[0]}${job.metrics_path}`)
    assert.deepEqual(scraped, ['millrace:8080/metrics', 'generator:9464/metrics'])
    assert.deepEqual(compose.services['generator']?.command?.slice(1, 3), ['--metrics-port', '9464'])
    const targets = (compose.services['prometheus']?.volumes ?? []).map((volume) => volume.split(':')[1])
    for (const file of prometheus.rule_files) assert.ok(targets.includes(file), file)
  })
})

/** Names of metrics, and of labels that are selected or grouped by. */
function namesIn(expression: string): { names: string[]; labels: string[] } {
  const labels: string[] = []
  const bare = expression
    .replaceAll(/\{([^}]*)\}/g, (_, selectors: string) => {
      for (const [, label] of selectors.matchAll(/(\w+)\s*(?:=|!)/g)) labels.push(label as string)
      return ''
    })
    .replaceAll(/\bby \(([^)]*)\)/g, (_, list: string) => {
      labels.push(...list.split(',').map((label) => label.trim()))
      return ''
    })
    .replaceAll(/\[[^\]]*\]/g, '')
  const names = [...bare.matchAll(/[a-zA-Z_:][\w:]*/g)].map(([name]) => name).filter((name) => !PROMQL.includes(name))
  return { names, labels }
}

/** Each metric that a generator and served runs of presets show, with its labels. */
async function metricsOfRuns(t: TestContext): Promise<Map<string, readonly string[]>> {
  const found = new Map<string, readonly string[]>()
  // What has no value yet comes with the first epochs.
  for (const [preset, last] of [
    ['online-model', ['millrace_model_skill', 'millrace_model_drifts_total']],
    [
      'user-activity',
      ['millrace_watermark_lag_seconds', 'millrace_epoch_duration_seconds', 'millrace_rejected_rows_total'],
    ],
  ] as const) {
    const folder = await temporaryFolder(t)
    const generator = startMillrace(t, ['generate', '--preset', preset, '--metrics-port', '0', ...TRAFFIC], {
      cwd: folder,
    })
    await collect((await generator.says(/metrics +(http:\S+)/))[1] as string, ['events_produced_total [1-9]'], found)
    await stop(generator)
    const args = ['run', '--preset', preset, '--serve', '--port', '0', '--trigger', '100ms']
    const run = startMillrace(t, args, { cwd: folder })
    await collect(`${(await run.says(/page +(http:\S+)/))[1]}/metrics`, last, found)
    await stop(run)
  }
  return found
}

/** As fast as possible until it is stopped. */
const TRAFFIC = [
  '--rate',
  '1000',
  '--start',
  '2026-11-24T12:00:00Z',
  '--malformed',
  '1%',
  '--flat-out',
  '--num-events',
  '0',
]

/** Asks until the last ones of the metrics have a sample: lines that begin so. */
async function collect(url: string, last: readonly string[], into: Map<string, readonly string[]>): Promise<void> {
  for (;;) {
    const page = await (await fetch(url)).text()
    if (!last.every((name) => new RegExp(`^${name}`, 'm').test(page))) {
      await sleep(50)
      continue
    }
    for (const [name, labels] of labelsIn(page)) if (labels.length > 0 || !into.has(name)) into.set(name, labels)
    return
  }
}

async function stop({ child, ended }: Running): Promise<void> {
  child.kill('SIGINT')
  await ended
}

/** Each metric of a page with its labels; none as long as it has no sample. */
function labelsIn(page: string): Map<string, readonly string[]> {
  const found = new Map([...page.matchAll(/^# TYPE (\S+) /gm)].map(([, name]) => [name as string, [] as string[]]))
  for (const [, name, list] of page.matchAll(/^(\w+)\{([^}]*)\}/gm)) {
    found.set(
      name as string,
      [...(list as string).matchAll(/(\w+)="/g)].map(([, label]) => label as string),
    )
  }
  return found
}
