import { fileURLToPath } from 'node:url'

/** In a checkout the sources run as they are; what is published is compiled, and lies one folder deeper. */
const IN_CHECKOUT = import.meta.url.endsWith('.ts')

/** URL of the library that pipelines import as `millrace`. */
export const LIBRARY_URL: string = new URL(IN_CHECKOUT ? '../index.ts' : '../index.js', import.meta.url).href

/** Folder of the built page. */
export const WEB_ROOT: string = fileURLToPath(new URL(IN_CHECKOUT ? '../../dist/web' : '../../web', import.meta.url))
