// `npm run sbom`: writes sbom.cdx.json, what the package brings along, as CycloneDX. npm takes it from package-lock.json alone. What
// is only for development is left out here: `--omit dev` would also leave out packages that both need. (npm 11)

import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'

interface Bill {
  readonly metadata: { readonly component: { name: string; 'bom-ref': string } }
  components: readonly { readonly 'bom-ref': string }[]
  dependencies: readonly { readonly ref: string; dependsOn: readonly string[] }[]
}

interface Locked {
  readonly version: string
  readonly dev?: boolean
}

const { error, status, stdout, stderr } = spawnSync(
  'npm',
  ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'],
  {
    encoding: 'utf8',
  },
)
if (error !== undefined) throw error
if (status === 0) {
  writeFileSync('sbom.cdx.json', `${JSON.stringify(shipped(JSON.parse(stdout) as Bill), null, 1)}\n`)
} else {
  process.stderr.write(stderr)
  process.exitCode = 1
}

/** The bill without what is only for development. npm calls the package by the name of the folder that the checkout is in. */
function shipped(bill: Bill): Bill {
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8')) as { packages: Record<string, Locked> }
  const refs = new Set([bill.metadata.component['bom-ref']])
  for (const [path, { version, dev }] of Object.entries(lock.packages)) {
    if (path !== '' && !dev)
      refs.add(`${path.slice(path.lastIndexOf('node_modules/') + 'node_modules/'.length)}@${version}`)
  }
  bill.metadata.component.name = 'millrace'
  bill.components = bill.components.filter((component) => refs.has(component['bom-ref']))
  bill.dependencies = bill.dependencies.filter(({ ref }) => refs.has(ref))
  for (const entry of bill.dependencies) entry.dependsOn = entry.dependsOn.filter((ref) => refs.has(ref))
  return bill
}
