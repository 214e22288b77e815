/** One member of a JSON object as it stands in the text. */
export interface MemberSlice {
  readonly name: string
  /** The value, verbatim. */
  readonly value: string
  /** Name, colon and value, verbatim. */
  readonly member: string
}

/** What `sliceDocument` makes of a text. */
export type Slices =
  | {
      readonly kind: 'object'
      readonly members: readonly MemberSlice[]
      readonly trailing: boolean
      readonly wellFormed: boolean
    }
  | { readonly kind: 'notObject' | 'notJson' | 'tooDeep' }

/** Cuts a JSON document into its top-level members; duplicates stay. A tiny recursive parser that mirrors the railroad diagrams of json.org. */
export function sliceDocument(text: string, depthMax: number): Slices {
  const parser = new Parser(text, depthMax)
  try {
    parser.space()
    if (text[parser.at] !== '{') {
      parser.value(0)
      parser.space()
      return { kind: parser.at === text.length ? 'notObject' : 'notJson' }
    }
    const members = parser.object(1)
    parser.space()
    return { kind: 'object', members, trailing: parser.at < text.length, wellFormed: parser.wellFormed }
  } catch (error) {
    if (error instanceof Refusal) return { kind: error.kind }
    throw error
  }
}

class Refusal extends Error {
  readonly kind: 'notJson' | 'tooDeep'
  constructor(kind: 'notJson' | 'tooDeep') {
    super(kind)
    this.kind = kind
  }
}

class Parser {
  at = 0
  wellFormed = true
  readonly #text: string
  readonly #depthMax: number

  constructor(text: string, depthMax: number) {
    this.#text = text
    this.#depthMax = depthMax
  }

  space(): void {
    this.#token(/[ \t\n\r]*/y)
  }

  value(depth: number): void {
    const first = this.#text[this.at]
    if (first === '{') this.object(depth + 1)
    else if (first === '[') this.#array(depth + 1)
    else if (first === '"') this.#string()
    else this.#token(/true|false|null|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?/y)
  }

  object(depth: number): MemberSlice[] {
    this.#open(depth)
    const members: MemberSlice[] = []
    if (this.#text[this.at] === '}') {
      this.at++
      return members
    }
    do {
      this.space()
      const memberAt = this.at
      const name = this.#string()
      this.space()
      this.#token(/:/y)
      this.space()
      const valueAt = this.at
      this.value(depth)
      members.push({
        name,
        value: this.#text.slice(valueAt, this.at),
        member: this.#text.slice(memberAt, this.at),
      })
      this.space()
    } while (this.#token(/[,}]/y) === ',')
    return members
  }

  #array(depth: number): void {
    this.#open(depth)
    if (this.#text[this.at] === ']') {
      this.at++
      return
    }
    do {
      this.space()
      this.value(depth)
      this.space()
    } while (this.#token(/[,\]]/y) === ',')
  }

  #open(depth: number): void {
    if (depth > this.#depthMax) throw new Refusal('tooDeep')
    this.at++
    this.space()
  }

  #string(): string {
    const token = this.#token(/"[^"\\\0-\x1f]*(?:\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4})[^"\\\0-\x1f]*)*"/y)
    const text: unknown = JSON.parse(token)
    if (typeof text !== 'string') throw new Error(`${token} is no string`)
    if (!text.isWellFormed()) this.wellFormed = false
    return text
  }

  #token(pattern: RegExp): string {
    pattern.lastIndex = this.at
    const token = pattern.exec(this.#text)?.[0]
    if (token === undefined) throw new Refusal('notJson')
    this.at += token.length
    return token
  }
}
