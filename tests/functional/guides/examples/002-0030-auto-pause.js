import { Sandbox } from 'novita-sandbox/code-interpreter'

const sandbox = await Sandbox.create({
  timeoutMs: 300_000,
  lifecycle: {
    onTimeout: 'pause',
    autoResume: false,
  },
})

await sandbox.kill()
