import type { CheckName } from './check.ts'

/** A trouble that the texts of the source systems describe, and what becomes of it here. */
export interface Trouble {
  /** The requirement, such as A36. */
  readonly id: string
  /** What somebody sees there. */
  readonly symptom: string
  /** Why it does not happen here, or how it shows. */
  readonly here: string
  readonly fix: string
  /** The check of `millrace doctor` that sees it. */
  readonly check?: CheckName
}

/** Every trouble, in the order of the requirements. */
export const TROUBLES: readonly Trouble[] = [
  {
    id: 'A36',
    symptom: 'NoBrokersAvailable',
    here: 'the embedded log needs no broker; a broker that is named and does not answer stops a run with exit code 3',
    fix: 'start the broker, or leave out `KAFKA_BOOTSTRAP_SERVERS`',
    check: 'kafka',
  },
  {
    id: 'A37',
    symptom: 'UnsupportedClassVersionError: the wrong Java',
    here: 'there is no Java; a Node that is too old is replaced by the one that the packages bring',
    fix: 'install Node 22.18 or newer when optional packages were left out',
    check: 'node',
  },
  {
    id: 'A38',
    symptom: 'JAVA_GATEWAY_EXITED, `spark-class: Operation timed out`',
    here: 'one process, no gateway: it runs in about a second; `PYSPARK_GATEWAY_TIMEOUT` is reported as not needed',
    fix: 'remove the setting',
  },
  {
    id: 'A39',
    symptom: "No module named 'distutils'",
    here: 'there is no Python; all packages have exact versions',
    fix: '`npm ci`',
    check: 'packages',
  },
  {
    id: 'A40',
    symptom: 'Failed to find data source: kafka',
    here: 'every connector comes with the package; a plan that names an unknown one is refused before it runs',
    fix: '`npm ci`',
    check: 'packages',
  },
  {
    id: 'A41',
    symptom: 'RecursionError in foreachBatch',
    here: 'a plan is data: no functions are serialised',
    fix: 'nothing to do',
  },
  {
    id: 'A42',
    symptom: 'NullPointerException in the metrics of the Kafka connector',
    here: 'metrics are read from counters that the job has anyway; what is not known yet has no sample',
    fix: 'nothing to do',
  },
  {
    id: 'A43',
    symptom: 'a batch with one class only breaks the model',
    here: 'a model step skips such a batch and counts it (skipped_batches)',
    fix: 'nothing to do',
  },
  {
    id: 'A44',
    symptom: 'no output for minutes: the first batch is all that the topic has',
    here: 'an epoch reads `--rows-per-epoch` rows at most, so that results come from the beginning',
    fix: '`--from latest` for new events only, or smaller epochs',
    check: 'topic',
  },
  {
    id: 'A45',
    symptom: 'the producer sends events one by one, or its batch call has changed',
    here: '`generate`, `produce` and `loadtest` fill batches by themselves',
    fix: '`--linger` and `--batch-bytes` change how full they are',
  },
  {
    id: 'B37',
    symptom: 'Initial job has not accepted any resources',
    here: 'there are no workers to be registered; `SPARK_WORKER_*` are reported as not needed',
    fix: 'less at once when memory is short: `--rows-per-epoch`, `--parallelism 1`',
    check: 'memory',
  },
  {
    id: 'B38',
    symptom: 'no files are written',
    here: 'a window is written when the watermark passes its end: `run` says where the watermark stands, until then when the first window closes, and at its end how many are open; the page of `--serve` shows each',
    fix: 'send events; wait for window and watermark delay, or make them shorter',
    check: 'topic',
  },
  {
    id: 'B39',
    symptom: 'permission and path errors',
    here: 'output folders are made; one that cannot be written stops the run before it reads anything',
    fix: '`--output`, or `chown` and `chmod u+w`; no folder has to be open to everybody',
    check: 'output',
  },
  {
    id: 'B40',
    symptom: 'old checkpoints cause weirdness',
    here: 'a checkpoint that does not fit the pipeline is refused with exit code 4 and the difference',
    fix: 'name another one with `--checkpoint` or `RUN_ID`, or remove it',
  },
  {
    id: 'D13',
    symptom: 'Docker has too little memory (8 GB)',
    here: 'no Docker is needed; a run of a preset needs some hundred MB',
    fix: 'end what needs much memory',
    check: 'memory',
  },
  {
    id: 'D14',
    symptom: 'ports are in use: 3000, 8080, 8081, 9090, 9092',
    here: 'one port, for the page',
    fix: '`--port`; 0 takes a free one',
    check: 'port',
  },
  {
    id: 'D15',
    symptom: 'look into the logs of all containers',
    here: 'one process says everything on stderr, and every error what to do',
    fix: '`millrace status`, `millrace inspect epochs`',
  },
  {
    id: 'D16',
    symptom: 'Kafka takes half a minute to start',
    here: 'the embedded log is there at once; a named broker is waited for',
    fix: 'start again when it is up: a run goes on where it was',
    check: 'kafka',
  },
  {
    id: 'E27',
    symptom: 'connection to Kafka refused',
    here: 'the error names the broker and the setting',
    fix: 'check `KAFKA_BOOTSTRAP_SERVERS` and `advertised.listeners`',
    check: 'kafka',
  },
  {
    id: 'E28',
    symptom: 'PostgreSQL does not start',
    here: 'files need none; `--postgres embedded` brings one on a free port',
    fix: 'check `DATABASE_URL` or `DB_USER`, `DB_PASSWORD`, `DB_NAME`',
    check: 'postgres',
  },
  {
    id: 'E29',
    symptom: 'the application crashes at once: a dependency is missing',
    here: 'packages have exact versions, and none is downloaded while it runs',
    fix: '`npm ci`',
    check: 'packages',
  },
  {
    id: 'E30',
    symptom: 'no data in the tables',
    here: 'tables get values of windows that are still open, so that there is something from the first epoch on',
    fix: '`millrace topics peek TOPIC`, then `millrace status`',
    check: 'topic',
  },
  {
    id: 'E31',
    symptom: 'out of memory',
    here: 'epochs are bounded in rows, what is read ahead in bytes; state holds what is open',
    fix: '`--rows-per-epoch`, `--parallelism`, shorter windows',
    check: 'memory',
  },
  {
    id: 'E32',
    symptom: 'the data lake is not partitioned by date',
    here: 'the folder comes from the time of the event: `partitionBy: day("event_time").as("event_date")`',
    fix: 'nothing to do',
  },
]

/** The table as a page, which is docs/troubleshooting.md. */
export function troublesPage(): string {
  const rows = TROUBLES.map(({ id, symptom, here, fix, check }) => {
    return `| ${id} | ${symptom} | ${here} | ${fix} | ${check === undefined ? '' : `\`${check}\``} |`
  })
  return `# Troubleshooting

\`millrace doctor\` looks at this machine; with \`--preset\`, \`--topic\`, \`--output\` and the addresses of servers in the environment also at
what a run would need. Below is what goes wrong in the systems that Millrace's presets stand for, and what becomes of it here. This page is what
\`millrace doctor --markdown\` writes.

| | there | here | what to do | seen by \`doctor\` |
|---|---|---|---|---|
${rows.join('\n')}
`
}
