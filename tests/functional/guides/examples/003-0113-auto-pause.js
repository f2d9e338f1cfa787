import { Sandbox } from '@e2b/code-interpreter'

// Create sandbox with auto-pause enabled
const sandbox = await Sandbox.betaCreate({
    autoPause: true  // Auto-pause after the sandbox times out
})
