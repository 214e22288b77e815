import type { SettingType } from './setting-type.ts'

/** Name of a setting. */
export type SettingName =
  | 'preset'
  | 'profile'
  | 'home'
  | 'bootstrap-servers'
  | 'topic'
  | 'from'
  | 'watermark-delay'
  | 'page-window'
  | 'geo-window'
  | 'session-window'
  | 'model'
  | 'trigger'
  | 'rows-per-epoch'
  | 'parallelism'
  | 'snapshot-interval'
  | 'output'
  | 'checkpoint-root'
  | 'run-id'
  | 'rate'
  | 'host'
  | 'port'
  | 'token'
  | 'token-file'

/**
 * A setting: the same name as a flag, in a configuration file, and, as MILLRACE_..., in the environment. Commands take those that
 * concern them.
 */
export interface Setting {
  readonly name: SettingName
  readonly type: SettingType
  /** As it would be written; absent when what holds then is said by `otherwise`. */
  readonly default?: string
  /** What holds without a value. */
  readonly otherwise?: string
  /** Names in the environment: ours first, then those that the source systems use for the same thing. */
  readonly env: readonly [string, ...string[]]
  readonly help: string
  /** A command line can be seen by everybody on the machine: secrets have no flag. */
  readonly flag?: false
}

/** Everything that can be set in more than one place, in the order in which it is shown. */
export const SETTINGS: readonly Setting[] = [
  {
    name: 'preset',
    type: 'preset',
    otherwise: 'a pipeline of your own',
    env: ['MILLRACE_PRESET'],
    help: 'a pipeline that Millrace brings, with its events and settings',
  },
  {
    name: 'profile',
    type: 'name',
    otherwise: 'development',
    env: ['MILLRACE_PROFILE'],
    help: "a preset's settings for other purposes, such as production",
  },
  {
    name: 'home',
    type: 'folder',
    default: '.millrace',
    env: ['MILLRACE_HOME'],
    help: 'where the embedded log, checkpoints and dead letters are',
  },
  {
    name: 'bootstrap-servers',
    type: 'text',
    otherwise: 'the embedded log',
    env: ['MILLRACE_BOOTSTRAP_SERVERS', 'KAFKA_BOOTSTRAP_SERVERS'],
    help: 'brokers of the Kafka cluster that topics are in, HOST:PORT,...',
  },
  {
    name: 'topic',
    type: 'topic',
    otherwise: 'the one that the pipeline names; "events" for generate',
    env: ['MILLRACE_TOPIC', 'KAFKA_TOPIC'],
    help: 'topic that is written, or read instead of the one in the pipeline',
  },
  {
    name: 'from',
    type: 'start',
    otherwise: 'what the pipeline says',
    env: ['MILLRACE_FROM', 'KAFKA_STARTING_OFFSETS'],
    help: 'where a topic is read from at the first start: earliest or latest',
  },
  {
    name: 'watermark-delay',
    type: 'duration',
    otherwise: 'what the pipeline says',
    env: ['MILLRACE_WATERMARK_DELAY', 'WATERMARK_DELAY'],
    help: 'how long every query waits for stragglers',
  },
  {
    name: 'page-window',
    type: 'duration',
    otherwise: 'what the preset says',
    env: ['MILLRACE_PAGE_WINDOW', 'PAGE_WINDOW'],
    help: 'windows of page metrics, of presets that have them',
  },
  {
    name: 'geo-window',
    type: 'duration',
    otherwise: 'what the preset says',
    env: ['MILLRACE_GEO_WINDOW', 'GEO_WINDOW'],
    help: 'windows of metrics by country, of presets that have them',
  },
  {
    name: 'session-window',
    type: 'duration',
    otherwise: 'what the preset says',
    env: ['MILLRACE_SESSION_WINDOW', 'SESSION_WINDOW'],
    help: 'inactivity that ends a session, of presets that have them',
  },
  {
    name: 'model',
    type: 'model',
    otherwise: 'what the preset says',
    env: ['MILLRACE_MODEL'],
    help: 'how a preset learns: honest, from the past, or compat, as its system did',
  },
  {
    name: 'trigger',
    type: 'duration',
    default: '100ms',
    env: ['MILLRACE_TRIGGER', 'TRIGGER_INTERVAL'],
    help: 'least time between epochs of a live run',
  },
  {
    name: 'rows-per-epoch',
    type: 'count',
    default: '1000000',
    env: ['MILLRACE_ROWS_PER_EPOCH', 'maxOffsetsPerTrigger', 'MAX_OFFSETS_PER_TRIGGER'],
    help: 'an epoch ends with the batch of records that reaches so many rows',
  },
  {
    name: 'parallelism',
    type: 'count',
    otherwise: 'one for each processor, but no more than partitions',
    env: ['MILLRACE_PARALLELISM'],
    help: 'threads that compute',
  },
  {
    name: 'snapshot-interval',
    type: 'duration',
    default: '30s',
    env: ['MILLRACE_SNAPSHOT_INTERVAL'],
    help: 'time between snapshots of the state',
  },
  {
    name: 'output',
    type: 'folder',
    otherwise: 'where the pipeline says',
    env: ['MILLRACE_OUTPUT', 'OUTPUT_PATH'],
    help: "put the file sinks' folders below this one",
  },
  {
    name: 'checkpoint-root',
    type: 'folder',
    otherwise: '"checkpoints" in the home',
    env: ['MILLRACE_CHECKPOINT_ROOT', 'CHECKPOINT_PATH'],
    help: 'where each pipeline has the folder of its checkpoint',
  },
  {
    name: 'run-id',
    type: 'name',
    otherwise: 'none, so that each start goes on where the last one ended',
    env: ['MILLRACE_RUN_ID', 'RUN_ID'],
    help: 'keeps checkpoints of different runs apart, in a folder of this name',
  },
  {
    name: 'rate',
    type: 'count',
    otherwise: '2000 for demo; as fast as possible for generate',
    env: ['MILLRACE_RATE', 'MSGS_PER_SEC'],
    help: 'events per second that are generated',
  },
  {
    name: 'host',
    type: 'text',
    default: '127.0.0.1',
    env: ['MILLRACE_HOST'],
    help: 'address of the page; others than this machine reach it only with a token',
  },
  {
    name: 'port',
    type: 'port',
    default: '8080',
    env: ['MILLRACE_PORT'],
    help: 'port of the page; 0 takes a free one',
  },
  {
    name: 'token',
    type: 'secret',
    otherwise: 'none: this machine only',
    env: ['MILLRACE_TOKEN'],
    help: 'whoever wants to see the page, the API or the metrics has to know it',
    flag: false,
  },
  {
    name: 'token-file',
    type: 'file',
    otherwise: 'none',
    env: ['MILLRACE_TOKEN_FILE'],
    help: 'file that holds the token',
  },
]

/** The setting of a name, if there is one. */
export function settingNamed(name: string): Setting | undefined {
  return SETTINGS.find((setting) => setting.name === name)
}

/** Names of the source systems that have no counterpart here, and why. They are reported when they are set. */
export const UNUSED_NAMES: readonly (readonly [reason: string, names: readonly string[]])[] = [
  [
    'say how a Spark cluster is run; Millrace needs none',
    [
      'SPARK_MASTER_URL',
      'SPARK_WORKER_CORES',
      'SPARK_WORKER_MEMORY',
      'SPARK_SQL_SHUFFLE_PARTITIONS',
      'SPARK_MEMORY_EXECUTOR',
      'SPARK_MEMORY_DRIVER',
      'PYSPARK_GATEWAY_TIMEOUT',
    ],
  ],
  ['concern the producer; every copy in sync acknowledges what is written', ['MSG_ACKS', 'MSG_COMPRESSION']],
]
