/** Sends back what it is sent, message by message, after a greeting: a WebSocket server without a library. */
export const webSocketEcho = `
const { createHash } = require('crypto')
const server = require('http').createServer()
server.on('upgrade', (request, socket) => {
  const accept = createHash('sha1').update(request.headers['sec-websocket-key'] + '258EAFA5-E914-47DA-95CA-C5AB0DC85B11').digest('base64')
  socket.write('HTTP/1.1 101 Go\\r\\nUpgrade: websocket\\r\\nConnection: Upgrade\\r\\nSec-WebSocket-Accept: ' + accept + '\\r\\n\\r\\n')
  const send = (text) => socket.write(Buffer.concat([Buffer.from([0x81, text.length]), Buffer.from(text)]))
  send('hello')
  socket.on('data', (frame) => {
    const length = frame[1] & 127
    send(frame.subarray(6, 6 + length).map((byte, index) => byte ^ frame[2 + (index % 4)]).toString())
  })
  socket.on('error', () => undefined)
})
server.listen(4000, '127.0.0.1')
`
