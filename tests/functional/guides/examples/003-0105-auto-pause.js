import { Sandbox } from '@e2b/code-interpreter'

// Create sandbox with auto-pause enabled
const sandbox = await Sandbox.betaCreate({
    autoPause: true,
    timeoutMs: 10 * 60 * 1000 // Optional: change the default timeout (10 minutes)
})
