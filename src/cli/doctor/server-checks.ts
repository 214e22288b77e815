import { existsSync } from 'node:fs'
import { MillraceError } from '../../base/error.ts'
import type { Log } from '../../log/log.ts'
import { namesPostgres, postgresTarget } from '../../sinks/postgres/postgres-target.ts'
import { homeAt, openLog } from '../home.ts'
import type { DoctorOptions, Finding } from './check.ts'
import { messageOf } from './machine-checks.ts'

/** A first epoch reads so many rows at most, however many there are. */
const MANY_ROWS = 1_000_000

/** The brokers that are named and the topic that is to be read; nothing when neither is named. */
export async function checkLog({ home, bootstrapServers, topic, from }: DoctorOptions): Promise<Finding[]> {
  if (bootstrapServers === undefined) {
    if (topic === undefined) return []
    // The first who writes makes the embedded log.
    if (!existsSync(homeAt(home).log)) return [noTopic(topic)]
  }
  let log: Log
  try {
    log = await openLog(homeAt(home), 'read', 'millrace doctor', bootstrapServers)
  } catch (error) {
    return [failed(bootstrapServers === undefined ? 'topic' : 'kafka', error)]
  }
  try {
    const findings: Finding[] = []
    if (bootstrapServers !== undefined) {
      const topics = await log.listTopics()
      const detail = `${bootstrapServers} answers and has ${topics.length} topics`
      findings.push({ name: 'kafka', fine: true, detail, fix: 'look at the log of the broker' })
    }
    if (topic !== undefined) findings.push(await checkTopic(log, topic, from))
    return findings
  } catch (error) {
    return [failed(bootstrapServers === undefined ? 'topic' : 'kafka', error)]
  } finally {
    await log.close()
  }
}

async function checkTopic(log: Log, topic: string, from: string | undefined): Promise<Finding> {
  const known = await log.describeTopic(topic)
  if (!known) return noTopic(topic)
  const { offsets } = known
  const rows = offsets.reduce((sum, { start, end }) => sum + end - start, 0)
  const many = rows > MANY_ROWS && from !== 'latest'
  return {
    name: 'topic',
    fine: true,
    detail: `"${topic}" has ${rows.toLocaleString('en')} records in ${offsets.length} partitions`,
    fix:
      rows === 0
        ? howToFill(topic)
        : 'a first start reads all of it, --rows-per-epoch at a time; --from latest reads only what is new',
    note: many || rows === 0,
  }
}

function noTopic(topic: string): Finding {
  return { name: 'topic', fine: true, detail: `there is no topic "${topic}" yet`, fix: howToFill(topic), note: true }
}

function howToFill(topic: string): string {
  return `nothing comes out until something goes in: millrace generate --topic ${topic} (with --preset for a preset), or millrace produce FILE --topic ${topic}`
}

/** The PostgreSQL server that the environment names, if it names one. */
export async function checkPostgres(env: NodeJS.ProcessEnv): Promise<Finding[]> {
  if (!namesPostgres(env)) return []
  const { PostgresSession } = await import('../../sinks/postgres/postgres-session.ts')
  try {
    const target = postgresTarget(undefined, env)
    const session = new PostgresSession(target)
    try {
      const rows = await session.run(
        async (client) =>
          (
            await client.query<{ version: string; may: boolean }>(
              `select current_setting('server_version') as version, has_schema_privilege('public', 'create') as may`,
            )
          ).rows,
      )
      const { version = '', may = false } = rows[0] ?? {}
      const detail = `${target.shown} is PostgreSQL ${version}${may ? '' : ', and the user may make no tables'}`
      return [{ name: 'postgres', fine: may, detail, fix: 'grant create on schema public to the user' }]
    } finally {
      await session.close()
    }
  } catch (error) {
    return [failed('postgres', error)]
  }
}

function failed(name: Finding['name'], error: unknown): Finding {
  const fix = error instanceof MillraceError ? error.hint : 'look at the log of the server'
  return { name, fine: false, detail: messageOf(error), fix }
}
