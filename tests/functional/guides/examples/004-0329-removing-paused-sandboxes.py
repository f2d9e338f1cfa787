from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()

# Pause the sandbox.
sandbox.beta_pause()

# Kill the paused sandbox.
sandbox.kill()
