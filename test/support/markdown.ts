/** A fenced block of a Markdown text. */
export interface Fence {
  /** The first word after the opening fence: `ts`, `sh`. */
  readonly language: string
  /** The other words: `no-run needs a broker`. */
  readonly info: string
  readonly code: string
  /** Of the first line of the code, counted from 1. */
  readonly line: number
}

/** All fenced blocks, in order. A fence is three or more backticks or tildes; a block may be indented in a list. */
export function findFences(markdown: string): Fence[] {
  const fences: Fence[] = []
  const lines = markdown.split('\n')
  for (let index = 0; index < lines.length; index++) {
    const opening = /^(\s*)(`{3,}|~{3,})\s*(\S*)\s*(.*)$/.exec(lines[index] ?? '')
    if (opening === null) continue
    const [, indent = '', marker = '', language = '', info = ''] = opening
    const first = index + 1
    const closing = new RegExp(`^\\s*${marker.charAt(0)}{${marker.length},}\\s*$`)
    for (index = first; index < lines.length && !closing.test(lines[index] ?? ''); index++);
    const code = lines.slice(first, index).map((line) => (line.startsWith(indent) ? line.slice(indent.length) : line))
    fences.push({ language, info: info.trim(), code: code.join('\n'), line: first + 1 })
  }
  return fences
}

/** The targets of all links outside of fences, those to other sites and inside the page left out. */
export function findRelativeLinks(markdown: string): string[] {
  const prose = markdown.replace(/^\s*(`{3,}|~{3,})[\s\S]*?^\s*\1\s*$/gm, '').replace(/`[^`\n]*`/g, '')
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => (match[1] ?? '').replace(/#.*$/, ''))
    .filter((target) => target !== '' && !/^[a-z]+:/.test(target))
}
