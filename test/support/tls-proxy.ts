import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { type AddressInfo, connect } from 'node:net'
import { join } from 'node:path'
import type { TestContext } from 'node:test'
import { createServer } from 'node:tls'

/** Speaks TLS in front of a server that does not. */
export interface TlsProxy {
  readonly port: number
  /** PEM file of whom to trust. */
  readonly certificateFile: string
}

const PASSWORD = 'loopback'

/** Takes HTTP/2 over TLS on a port of its own, as `localhost`, and hands it on; ends with the test. Its certificate is made by Java's keytool. */
export async function startTlsProxy(t: TestContext, folder: string, targetPort: number): Promise<TlsProxy> {
  const store = join(folder, 'proxy.p12')
  const certificateFile = join(folder, 'proxy.pem')
  const common = ['-alias', 'proxy', '-keystore', store, '-storepass', PASSWORD]
  const names = ['-dname', 'CN=localhost', '-ext', 'san=dns:localhost,ip:127.0.0.1']
  keytool('-genkeypair', ...common, ...names, '-keyalg', 'RSA', '-storetype', 'PKCS12', '-keypass', PASSWORD)
  keytool('-exportcert', '-rfc', ...common, '-file', certificateFile)
  const server = createServer({ pfx: readFileSync(store), passphrase: PASSWORD, ALPNProtocols: ['h2'] }, (client) => {
    const target = connect(targetPort, '127.0.0.1')
    client.pipe(target).pipe(client)
    client.on('error', () => target.destroy())
    target.on('error', () => client.destroy())
    client.on('close', () => target.destroy())
    target.on('close', () => client.destroy())
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.after(() => server.close())
  return { port: (server.address() as AddressInfo).port, certificateFile }
}

function keytool(...args: readonly string[]): void {
  const { status, stdout, stderr } = spawnSync('keytool', args, { encoding: 'utf8' })
  if (status !== 0) throw new Error(`keytool failed: ${stdout}${stderr}`)
}
