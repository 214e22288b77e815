import { SETTINGS } from './settings.ts'

/** A `.env.example`: every setting with its names, switched off. */
export function envExample(): string {
  const blocks = SETTINGS.map((setting) => {
    const [own, ...others] = setting.env
    const lines = [`# ${sentence(setting.help)}`]
    if (setting.otherwise !== undefined) lines.push(`# Without it: ${setting.otherwise}.`)
    if (others.length > 0) lines.push(`# Also read: ${others.join(', ')}.`)
    return [...lines, `#${own}=${setting.default ?? ''}`].join('\n')
  })
  return `# Settings of Millrace. Copy this to .env and take the # away from what you set.\n# A flag beats the environment, the environment beats .env, .env beats millrace.yaml.\n\n${blocks.join('\n\n')}\n`
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}.`
}
