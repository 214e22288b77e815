import { join } from 'node:path'
import { Option } from 'commander'
import type { EmbeddedPostgres } from './embedded-postgres.ts'
import type { Home } from './home.ts'

/** `--postgres embedded`: PostgreSQL sinks without a server to be set up. */
export const POSTGRES_OPTION: Option = new Option(
  '--postgres <server>',
  'start a server for PostgreSQL sinks, with its data in the home folder',
).choices(['embedded'])

/** Starts the server of a home and says where it is. */
export async function startPostgres(home: Home): Promise<EmbeddedPostgres> {
  const { startEmbeddedPostgres } = await import('./embedded-postgres.ts')
  const folder = join(home.path, 'postgres')
  const server = await startEmbeddedPostgres(folder, { durable: true })
  const { port } = new URL(server.url)
  process.stderr.write(
    `postgres postgres://postgres@127.0.0.1:${port}/postgres, password in ${join(folder, 'password')}\n`,
  )
  return server
}
