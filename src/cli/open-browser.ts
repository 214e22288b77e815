import { spawn } from 'node:child_process'

/** Shows a page in the user's browser where there is one; what happens to it is nobody's concern. */
export function openBrowser(url: string): void {
  const program = process.platform === 'darwin' ? 'open' : 'xdg-open'
  const child = spawn(program, [url], { stdio: 'ignore', detached: true })
  child.on('error', () => {})
  child.unref()
}
