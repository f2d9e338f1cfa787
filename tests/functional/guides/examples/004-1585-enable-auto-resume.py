from novita_sandbox.core import Sandbox

sandbox = Sandbox.create(
    metadata={
        "auto_resume": "true",
    }
)
print('Sandbox created', sandbox.sandbox_id)

sandbox.beta_pause()
print('Sandbox paused', sandbox.sandbox_id)

result = sandbox.commands.run('ls -al')
print('Command result', result)

sandbox.kill()
