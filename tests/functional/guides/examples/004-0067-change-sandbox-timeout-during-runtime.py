from novita_sandbox.code_interpreter import Sandbox

# Create sandbox with and keep it running for 60 seconds.
sandbox = Sandbox.create(timeout=60)

# Change the sandbox timeout to 30 seconds.
# The new timeout will be 30 seconds from now.
sandbox.set_timeout(30)

sandbox.kill()
