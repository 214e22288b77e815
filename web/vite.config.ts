import { defineConfig, type UserConfig } from 'vite'

// The page is served under a content security policy without inline scripts, inline styles or foreign hosts: everything
// becomes a file of its own, and nothing is inlined for being small.
const config: UserConfig = defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: '../dist/web',
    emptyOutDir: true,
    target: 'es2023',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
  },
  server: { proxy: { '/api': 'http://127.0.0.1:8080' } },
})

export default config
