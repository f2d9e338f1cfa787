from novita_sandbox.code_interpreter import Sandbox

# Create sandbox with and keep it running for 60 seconds.
sandbox = Sandbox.create(
  timeout=60, # The units are seconds.
)

sandbox.kill()
