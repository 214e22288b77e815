import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, readdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { CACHE_FOLDER, findProgram } from './kafka-install.ts'

/** The newest that has a Kafka connector of its own number; scripts/spark-pom.xml names the same. */
const SPARK_VERSION = '4.2.0'

/** Java that this Spark runs on. */
const JAVA_VERSION_MIN = 17

const FOLDER = join(CACHE_FOLDER, `spark-${SPARK_VERSION}`)
const ENVIRONMENT = join(FOLDER, 'venv')
const JARS = join(FOLDER, 'jars')

/** Where an installed Spark is, with the jars that it needs for Kafka, if they are there. */
export interface InstalledSpark {
  readonly home: string
  readonly kafkaJars: readonly string[]
}

/** The Spark that `npm run spark -- install` has put here, if it has and can run. */
export function installedSpark(): InstalledSpark | undefined {
  const libraries = join(ENVIRONMENT, 'lib')
  if (findProgram('java') === undefined || !existsSync(libraries)) return undefined
  const homes = readdirSync(libraries).map((name) => join(libraries, name, 'site-packages', 'pyspark'))
  const home = homes.find((folder) => existsSync(join(folder, 'bin', 'spark-submit')))
  if (home === undefined) return undefined
  return { home, kafkaJars: existsSync(JARS) ? readdirSync(JARS).map((name) => join(JARS, name)) : [] }
}

/** Gets Spark from the Python registry (456 MB) and, where Maven is, its Kafka connector, unless they are there. Throws when it cannot run. */
export function installSpark(): InstalledSpark {
  assertJava()
  if (!installedSpark()) {
    process.stderr.write(`getting Spark ${SPARK_VERSION} by pip, about a minute\n`)
    into(ENVIRONMENT, (folder) => {
      run('python3', ['-m', 'venv', folder], 'python3 with its venv module is needed: apt-get install python3-venv')
      const pip = ['-m', 'pip', 'install', '-q', '--disable-pip-version-check', `pyspark==${SPARK_VERSION}`]
      run(join(folder, 'bin', 'python3'), pip, 'is the network there?')
    })
  }
  if (!existsSync(JARS) && findProgram('mvn') !== undefined) {
    process.stderr.write('getting the Kafka connector by Maven\n')
    into(JARS, (folder) => {
      const args = ['-q', '-B', '-f', join(import.meta.dirname, 'spark-pom.xml'), 'dependency:copy-dependencies']
      run('mvn', [...args, '-DincludeScope=runtime', `-DoutputDirectory=${folder}`], 'is the network there?')
    })
  }
  const installed = installedSpark()
  if (!installed) throw new Error(`Spark is not complete: remove ${FOLDER} and try again`)
  return installed
}

function assertJava(): void {
  const { stderr = '', error } = spawnSync('java', ['-version'], { encoding: 'utf8' })
  const major = Number(/version "(\d+)/.exec(stderr)?.[1] ?? 0)
  if (error || major < JAVA_VERSION_MIN)
    throw new Error(`Spark needs Java ${JAVA_VERSION_MIN} or newer: apt-get install default-jre-headless`)
}

/** Fills a folder: it gets its name when all of it is there. An environment of Python knows its own path, but nothing of it is run later. */
function into(folder: string, fill: (temporary: string) => void): void {
  const temporary = `${folder}.${process.pid}`
  mkdirSync(temporary, { recursive: true })
  try {
    fill(temporary)
    renameSync(temporary, folder)
  } catch (error) {
    // Somebody else was faster.
    if (!existsSync(folder)) throw error
  } finally {
    rmSync(temporary, { recursive: true, force: true })
  }
}

function run(command: string, args: readonly string[], hint: string): void {
  const { status, error, stderr } = spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 2, 'pipe'] })
  if (!error && status === 0) return
  throw new Error(`${command} failed (${hint}): ${error?.message ?? stderr.slice(-500)}`)
}
