const PLACE = /\{([^{}]*)\}/g

/** Names of columns that a text such as `millrace:model:{model}` refers to. */
export function templateColumns(template: string): string[] {
  return [...template.matchAll(PLACE)].map(([, name = '']) => name)
}

/** The text with each name in braces replaced. */
export function templateText(template: string, textOf: (column: string) => string): string {
  return template.replace(PLACE, (_, name: string) => textOf(name))
}
