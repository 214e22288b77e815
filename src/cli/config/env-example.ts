import { SETTINGS, UNUSED_NAMES } from './settings.ts'

/** Names that are no settings of a command: where a server is, and who asks. */
const SERVER_NAMES: readonly (readonly [help: string, lines: readonly string[]])[] = [
  ['Address of a PostgreSQL server', ['DATABASE_URL=postgres://user:password@localhost:5432/stream_data']],
  ['Or in parts', ['DB_HOST=localhost', 'DB_PORT=5432', 'DB_USER=user', 'DB_PASSWORD=password', 'DB_NAME=stream_data']],
  ['Address of a Redis server, for redis(). Also read: REDIS_URL', ['MILLRACE_REDIS_URL=redis://localhost:6379/0']],
]

/** A `.env.example`: every setting with its names, switched off. */
export function envExample(): string {
  const blocks = SETTINGS.map((setting) => {
    const [own, ...others] = setting.env
    const lines = [`# ${sentence(setting.help)}`]
    if (setting.otherwise !== undefined) lines.push(`# Without it: ${setting.otherwise}.`)
    if (others.length > 0) lines.push(`# Also read: ${others.join(', ')}.`)
    return [...lines, `#${own}=${setting.default ?? ''}`].join('\n')
  })
  for (const [help, lines] of SERVER_NAMES) blocks.push([`# ${help}.`, ...lines.map((line) => `#${line}`)].join('\n'))
  for (const [reason, names] of UNUSED_NAMES)
    blocks.push(`# Without effect, since they ${reason}:\n# ${names.join(', ')}`)
  return `# Settings of Millrace. Copy this to .env and take the # away from what you set.\n# A flag beats the environment, the environment beats .env, .env beats millrace.yaml.\n\n${blocks.join('\n\n')}\n`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
