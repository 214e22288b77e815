import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'
import type { AnswerRules } from '../end-to-end/answers.ts'

/** What a peer is given to work on. */
export interface PeerInput {
  readonly bootstrap: string
  readonly topic: string
  /** All events as lines, where `readsLines`. */
  readonly lines: string
  /** It makes a folder for each query in here. */
  readonly output: string
}

/** Another way of answering the queries of the end-to-end benchmark. */
export interface Peer {
  readonly summary: string
  readonly rules: AnswerRules
  /** Reads a file with all events instead of the topic. */
  readonly readsLines: boolean
  /** How often it is run at most. */
  readonly runs: number
  /** Gets it from its registry unless it is there. Throws when that fails. */
  install(): void
  /** The program that answers the queries and ends. */
  command(input: PeerInput): readonly string[]
}

/** What Node needs to know about the programs in this folder. */
const NODE = [process.execPath, '--disable-warning=ExperimentalWarning']
const EXACT: AnswerRules = { parts: false, distinctTolerance: 0 }

/** The peers by name. */
export const PEERS: Readonly<Record<string, Peer>> = {
  kafkajs: {
    summary: 'kafkajs 2.2.4, JSON.parse and maps in two processes, without checkpoints',
    rules: { ...EXACT, parts: true },
    readsLines: false,
    runs: 3,
    install: () =>
      into('kafkajs-2.2.4', (folder) =>
        run('npm', ['install', '--prefix', folder, '--ignore-scripts', '--no-audit', '--no-fund', 'kafkajs@2.2.4']),
      ),
    command: ({ bootstrap, topic, output }) => [
      ...[...NODE, program('kafkajs.ts'), join(CACHE_FOLDER, 'kafkajs-2.2.4'), bootstrap, topic, output],
    ],
  },
  duckdb: {
    summary: 'DuckDB, one batch over a file that is parsed once',
    rules: EXACT,
    readsLines: true,
    runs: 3,
    install: () => {},
    command: ({ lines, output }) => [...NODE, program('duckdb.ts'), lines, output],
  },
  flink: {
    summary: 'Flink 2.2.0, SQL, two task slots, checkpoints every 10 s',
    rules: EXACT,
    readsLines: false,
    runs: 1,
    install: () =>
      into('flink-2.2.0', (folder) => {
        jars(program('flink/pom.xml'), join(folder, 'lib'))
        run('javac', ['-cp', join(folder, 'lib', '*'), '-d', folder, program('flink/EndToEnd.java')])
      }),
    command: ({ bootstrap, topic, output }) => [
      ...['java', '-Xmx3g', '-Dorg.slf4j.simpleLogger.defaultLogLevel=off', ...OPENED],
      ...['-cp', [join(CACHE_FOLDER, 'flink-2.2.0', 'lib', '*'), join(CACHE_FOLDER, 'flink-2.2.0')].join(delimiter)],
      ...['EndToEnd', bootstrap, topic, output],
    ],
  },
  spark: {
    summary: 'Spark 4.2.0, Structured Streaming, local[2], all that there is, then end',
    rules: { parts: false, distinctTolerance: 0.15 },
    readsLines: false,
    runs: 1,
    install: () =>
      into('spark-4.2.0', (folder) => {
        run('python3', ['-m', 'pip', 'install', '-q', '--target', join(folder, 'python'), 'pyspark==4.2.0'])
        jars(join(import.meta.dirname, '..', '..', 'scripts', 'spark-pom.xml'), join(folder, 'lib'))
      }),
    command: ({ bootstrap, topic, output }) => {
      const folder = join(CACHE_FOLDER, 'spark-4.2.0')
      const lib = readdirSync(join(folder, 'lib')).map((name) => join(folder, 'lib', name))
      return [
        'env',
        `PYTHONPATH=${join(folder, 'python')}`,
        'python3',
        program('spark/end-to-end.py'),
        bootstrap,
        topic,
        output,
        lib.join(','),
      ]
    },
  },
}

/** Where downloads go: outside of the repository. */
const CACHE_FOLDER: string = join(
  process.env['MILLRACE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace'),
  'peers',
)

/** Packages of Java's own library that Flink looks into. */
const OPENED = ['lang', 'util', 'time', 'util.concurrent', 'net', 'io', 'nio'].map(
  (name) => `--add-opens=java.base/java.${name}=ALL-UNNAMED`,
)

function program(name: string): string {
  return join(import.meta.dirname, name)
}

/** Fills a folder of the cache once: it gets its name when all of it is there. */
function into(name: string, fill: (folder: string) => void): void {
  const folder = join(CACHE_FOLDER, name)
  if (existsSync(folder)) return
  const temporary = `${folder}.${process.pid}`
  mkdirSync(temporary, { recursive: true })
  try {
    fill(temporary)
    renameSync(temporary, folder)
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function jars(pom: string, folder: string): void {
  const scope = ['-DincludeScope=runtime', `-DoutputDirectory=${folder}`]
  run('mvn', ['-q', '-B', '-f', pom, 'dependency:copy-dependencies', ...scope])
}

function run(command: string, args: readonly string[]): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 2, 'pipe'] })
  if (error) throw error
  if (status !== 0) throw new Error(`${command} ended with ${status}: ${stderr.slice(-500)}`)
}
