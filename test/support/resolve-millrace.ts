// Preloaded with `--import`: `millrace` then is the source, as it is for whoever has installed the package.

import { registerHooks } from 'node:module'

const MODULES: Readonly<Record<string, string>> = {
  millrace: new URL('../../src/index.ts', import.meta.url).href,
  'millrace/testing': new URL('../../src/testing.ts', import.meta.url).href,
}

registerHooks({
  resolve: (specifier, context, nextResolve) => nextResolve(MODULES[specifier] ?? specifier, context),
})
