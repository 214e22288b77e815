import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFences, findRelativeLinks } from './markdown.ts'

const TEXT = `# Title
\`\`\`ts no-run needs a broker
const a = \`x\`
\`\`\`
- item
  ~~~sh
  echo 1
    echo 2
  ~~~
\`\`\`\`md
\`\`\`ts
inner
\`\`\`
[not a link](inside.md)
\`\`\`\`
See [one](docs/one.md#part), [two](https://example.org/), [three](#here), \`[four](x.md)\`.
\`\`\`ts
open to the end`

test('fences are found with their language, info, code and line', () => {
  assert.deepEqual(findFences(TEXT), [
    { language: 'ts', info: 'no-run needs a broker', code: 'const a = `x`', line: 3 },
    { language: 'sh', info: '', code: 'echo 1\n  echo 2', line: 7 },
    { language: 'md', info: '', code: '```ts\ninner\n```\n[not a link](inside.md)', line: 11 },
    { language: 'ts', info: '', code: 'open to the end', line: 18 },
  ])
})

test('only links to files of the project are found', () => {
  assert.deepEqual(findRelativeLinks(TEXT), ['docs/one.md'])
})
