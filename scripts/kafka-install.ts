import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, join } from 'node:path'

/** Of the broker that tests and `npm run kafka` start; scripts/kafka-pom.xml names the same. */
const KAFKA_VERSION = '4.1.1'

/** Where downloads go: outside of the repository, shared by all checkouts. */
export const CACHE_FOLDER: string =
  process.env['MILLRACE_CACHE'] ?? join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'millrace')

const KAFKA_FOLDER: string = join(CACHE_FOLDER, `kafka-${KAFKA_VERSION}`)

/** Java's class path of a broker and its tools; `installKafka` puts the jars there. */
export const KAFKA_CLASSES: string = join(KAFKA_FOLDER, 'lib', '*')

/** True when a broker can be started here without the network: Java and the jars are there. */
export function kafkaCanRun(): boolean {
  return findProgram('java') !== undefined && jarsAreThere()
}

/** Gets the jars by Maven unless they are there. Throws when that fails. */
export function installKafka(): void {
  if (jarsAreThere()) return
  if (findProgram('mvn') === undefined) throw new Error('Maven is missing: apt-get install maven default-jre-headless')
  mkdirSync(KAFKA_FOLDER, { recursive: true })
  const temporary = join(KAFKA_FOLDER, `lib-${process.pid}`)
  process.stderr.write(`getting Kafka ${KAFKA_VERSION} by Maven\n`)
  const { status } = spawnSync(
    'mvn',
    [
      ...['-q', '-B', '-f', join(import.meta.dirname, 'kafka-pom.xml'), 'dependency:copy-dependencies'],
      ...['-DincludeScope=runtime', `-DoutputDirectory=${temporary}`],
    ],
    { stdio: ['ignore', 2, 2] },
  )
  if (status !== 0) {
    rmSync(temporary, { recursive: true, force: true })
    throw new Error(`Maven could not get Kafka ${KAFKA_VERSION} (exit code ${status}): is the network there?`)
  }
  try {
    renameSync(temporary, join(KAFKA_FOLDER, 'lib'))
  } catch (error) {
    // Somebody else was faster.
    if (!jarsAreThere()) throw error
    rmSync(temporary, { recursive: true, force: true })
  }
}

function jarsAreThere(): boolean {
  return existsSync(join(KAFKA_FOLDER, 'lib'))
}

/** Path of a program that PATH leads to. */
export function findProgram(name: string): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return folders.map((folder) => join(folder, name)).find((path) => existsSync(path))
}
