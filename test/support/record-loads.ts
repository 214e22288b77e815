// Loaded with --import: writes the address of each module that is loaded after it to the file that MILLRACE_TEST_LOADS names.

import { appendFileSync } from 'node:fs'
import { registerHooks } from 'node:module'

const file = process.env['MILLRACE_TEST_LOADS']

registerHooks({
  load(url, context, nextLoad) {
    if (file !== undefined) appendFileSync(file, `${url}\n`)
    return nextLoad(url, context)
  },
})
