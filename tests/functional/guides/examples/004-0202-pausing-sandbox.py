from novita_sandbox.code_interpreter import Sandbox

sandbox = Sandbox.create()
print('Sandbox created', sandbox.sandbox_id)

# You can save the sandbox ID in your database
# to resume the sandbox later
sandbox.beta_pause()
print('Sandbox paused', sandbox.sandbox_id)

sandbox.kill()
