import { createHash } from 'node:crypto'
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { connect } from 'node:tls'

import { type OutsideMachine, type TestWorld, addOutsideMachine, bootWorld, headlessBrowser } from '@torpor/testkit'
import { Sandbox, type SandboxOpts } from 'e2b'
import { type Browser, type Page, launch as launchBrowser } from 'puppeteer-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

import { webSocketEcho } from './web-socket-echo.ts'

/** Counts its visitors; its script asks the server once more and shows the answer. */
const site = `
let visitors = 0
require('http').createServer((request, response) => {
  if (request.url === '/more') return response.end('and more')
  visitors += 1
  response.setHeader('content-type', 'text/html')
  response.end('<title>A site</title><h1>visitor ' + visitors + '</h1><p></p><script>fetch("/more").then((a) => a.text()).then((t) => { document.querySelector("p").textContent = t })</script>')
}).listen(3000, '127.0.0.1')
`

let world: TestWorld
let machine: OutsideMachine
let browser: Browser
let directory: string

/** What certificates are known by: only the platform's own is taken, whoever has signed it. */
async function keyHash(host: string, port: number, servername: string): Promise<string> {
  const socket = connect({ host, port, servername, rejectUnauthorized: false })
  const certificate = await new Promise<Buffer>((resolve, reject) => {
    socket.once('error', reject)
    socket.once('secureConnect', () =>
      resolve(socket.getPeerX509Certificate()?.publicKey.export({ type: 'spki', format: 'der' }) ?? Buffer.alloc(0)),
    )
  })
  socket.destroy()
  return createHash('sha256').update(certificate).digest('base64')
}

/**
 * A browser on a machine of its own, where the names of the domain lead to this one. Here it would give up what it loads
 * whenever a sandbox's network device comes or goes.
 */
async function launch(program: string): Promise<Browser> {
  const { hostname, port } = new URL(`https://api.${world.env['E2B_DOMAIN']}`)
  const executablePath = path.join(directory, 'browser')
  await writeFile(executablePath, `#!/bin/sh\nexec ip netns exec ${machine.namespace} ${program} "$@"\n`)
  await chmod(executablePath, 0o755)
  const args = [
    '--no-sandbox',
    `--host-resolver-rules=MAP * ${machine.gateway}`,
    `--ignore-certificate-errors-spki-list=${await keyHash(machine.gateway, Number(port), hostname)}`,
  ]
  return launchBrowser({ executablePath, args, headless: 'shell', pipe: true, userDataDir: path.join(directory, 'profile') })
}

beforeAll(async () => {
  const program = await headlessBrowser()
  directory = await mkdtemp(path.join(tmpdir(), 'torpor-browser-'))
  machine = addOutsideMachine()
  world = await bootWorld({ TORPOR_TLS_LISTEN: `${machine.gateway}:0` })
  Object.assign(process.env, world.env)
  browser = await launch(program)
}, 900_000)
afterAll(async () => {
  await browser?.close()
  await world?.close()
  machine?.remove()
  if (directory) await rm(directory, { recursive: true, force: true })
})

async function open(url: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(url)
  return page
}

const text = (page: Page, selector: string): Promise<string> => page.$eval(selector, (element) => element.textContent ?? '')

async function serving(program: string, port: number, options: SandboxOpts = {}): Promise<Sandbox> {
  const sandbox = await Sandbox.create({ timeoutMs: 600_000, ...options })
  await sandbox.files.write('/home/user/server.js', program)
  await sandbox.commands.run('node /home/user/server.js', { background: true, timeoutMs: 0 })
  await listening(sandbox, port)
  return sandbox
}

async function listening(sandbox: Sandbox, port: number): Promise<void> {
  const look = `until grep -qi ":$(printf %04x ${port}) .* 0A" /proc/net/tcp /proc/net/tcp6; do sleep 0.05; done`
  await sandbox.commands.run(look, { timeoutMs: 20_000 })
}

describe('public URLs in a browser', () => {
  test('N2 a page of a server on the loopback of a sandbox, with its script; again after a sleep, by the visit alone', async () => {
    const sandbox = await serving(site, 3000, { lifecycle: { onTimeout: 'pause', autoResume: true } })
    const url = `https://${sandbox.getHost(3000)}/`
    const page = await open(url)
    await page.waitForFunction('document.querySelector("p")?.textContent === "and more"')
    const before = Number((await text(page, 'h1')).replace('visitor ', ''))
    await sandbox.pause()
    await page.reload()
    expect(await text(page, 'h1')).toBe(`visitor ${before + 1}`)
    await page.close()
    await sandbox.kill()
  })

  test('a WebSocket', async () => {
    const sandbox = await serving(webSocketEcho, 4000)
    const page = await browser.newPage()
    const heard = await page.evaluate(
      (host) =>
        new Promise<string[]>((resolve, reject) => {
          const all: string[] = []
          const socket = new WebSocket(`wss://${host}/`)
          socket.addEventListener('error', () => reject(new Error('the WebSocket failed')))
          socket.addEventListener('message', ({ data }) => {
            all.push(String(data))
            if (all.length === 1) socket.send('there and back')
            else resolve(all)
          })
        }),
      sandbox.getHost(4000),
    )
    expect(heard).toEqual(['hello', 'there and back'])
    await page.close()
    await sandbox.kill()
  })

  test('a closed port and a sandbox that is gone are pages that say so', async () => {
    const sandbox = await Sandbox.create({ timeoutMs: 600_000 })
    const page = await open(`https://${sandbox.getHost(3000)}/`)
    expect(await text(page, 'body')).toContain('3000')
    await sandbox.files.write('/home/user/server.js', site)
    await sandbox.commands.run('node /home/user/server.js', { background: true, timeoutMs: 0 })
    await listening(sandbox, 3000)
    await page.reload()
    expect(await page.title()).toBe('A site')
    await sandbox.kill()
    await page.reload()
    expect(await text(page, 'body')).toContain(sandbox.sandboxId)
    await page.close()
  })

  test('a restricted sandbox is entered by its token in the address, which is then gone from there', async () => {
    const sandbox = await serving(site, 3000, { network: { allowPublicTraffic: false } })
    const url = `https://${sandbox.getHost(3000)}/`
    const page = await open(url)
    expect(await page.title()).toMatch(/^40\d /)
    await page.goto(`${url}?e2b-traffic-access-token=${sandbox.trafficAccessToken}`)
    await page.waitForFunction('document.querySelector("p")?.textContent === "and more"')
    expect(page.url()).toBe(url)
    await page.close()
    await sandbox.kill()
  })
})
