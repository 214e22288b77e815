'use strict'

const { createHash } = require('node:crypto')
const { connect, createServer } = require('node:net')

/**
 * Runs `action` while no other process of this machine runs one for the same `root`; waits for its turn.
 *
 * The lock is a listening socket with a name and no file (Linux' abstract namespace): the kernel grants it to one process
 * and takes it back when that one ends, however it ends, so there are no stale locks. Those who wait hold a connection
 * to the owner and try again when it closes. Where there are no such sockets, nothing is locked.
 */
async function withLock(root, action) {
  const name = `\0millrace-${createHash('sha256').update(root).digest('hex').slice(0, 32)}`
  for (let waited = false; ; waited = true) {
    const lock = await tryListen(name)
    if (lock !== undefined) {
      try {
        return await action()
      } finally {
        lock.close()
      }
    }
    if (!waited) process.stderr.write('millrace: waiting for another process that installs or builds\n')
    await closed(name)
  }
}

function tryListen(name) {
  const waiting = new Set()
  const server = createServer((socket) => {
    waiting.add(socket)
    socket.on('error', () => {})
  })
  return new Promise((resolve) => {
    server.on('error', (error) => resolve(error.code === 'EADDRINUSE' ? undefined : { close() {} }))
    server.listen(name, () =>
      resolve({
        close() {
          server.close()
          for (const socket of waiting) socket.destroy()
        },
      }),
    )
  })
}

function closed(name) {
  return new Promise((resolve) => {
    const socket = connect(name)
    socket.on('error', () => {}) // The owner has just gone: `close` follows.
    socket.on('close', resolve)
    socket.resume()
  })
}

module.exports = { withLock }
