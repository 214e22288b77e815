import { connect, createServer, type Socket } from 'node:net'

/** A way to a server that breaks where a test wants it to. */
export interface CuttingProxy {
  readonly port: number
  /** Cuts the connection that next sends this text: before the server gets it, or when it has done it and is about to say so. */
  cut(text: RegExp, when: 'before' | 'after'): void
  /** How often it has cut. */
  cuts(): number
  close(): void
}

/** Stands between a client and the server on a port of this machine. */
export async function cuttingProxy(serverPort: number): Promise<CuttingProxy> {
  let armed: { text: RegExp; when: 'before' | 'after' } | undefined
  let cuts = 0
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(serverPort, '127.0.0.1')
    let cutting = false
    for (const [from, to] of [
      [client, upstream],
      [upstream, client],
    ] as const) {
      open.add(from)
      from.on('error', () => to.destroy())
      from.on('close', () => {
        open.delete(from)
        to.destroy()
      })
    }
    client.on('data', (bytes) => {
      if (!armed?.text.test(bytes.toString('latin1'))) return void upstream.write(bytes)
      const { when } = armed
      armed = undefined
      cuts++
      cutting = true
      if (when === 'before') client.destroy()
      else upstream.write(bytes)
    })
    upstream.on('data', (bytes) => {
      if (cutting) client.destroy()
      else client.write(bytes)
    })
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  const address = server.address()
  if (typeof address !== 'object' || !address) throw new Error('a listening server has a port')
  return {
    port: address.port,
    cut(text, when) {
      armed = { text, when }
    },
    cuts: () => cuts,
    close() {
      for (const socket of open) socket.destroy()
      server.close()
    },
  }
}
